"""Languages as data: which script they have, and the little words that every text of them holds.

Words are those without which hardly a sentence does (articles, pronouns, prepositions, forms of "to
be"), in lower case. A word may stand in several languages; it then speaks for each of them.
Source of the ranges: the Unicode blocks.
"""

# ruff: noqa: RUF001 -- letters of other scripts are what this is about
from __future__ import annotations

from typing import Final

RANGES: Final[dict[str, str]] = {
    "latin": "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff",
    "cyrillic": "\u0400-\u052f",
    "greek": "\u0370-\u03ff\u1f00-\u1fff",
    "arabic": "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff",
    "hebrew": "\u0590-\u05ff",
    "devanagari": "\u0900-\u097f",
    "bengali": "\u0980-\u09ff",
    "gurmukhi": "\u0a00-\u0a7f",
    "gujarati": "\u0a80-\u0aff",
    "tamil": "\u0b80-\u0bff",
    "telugu": "\u0c00-\u0c7f",
    "kannada": "\u0c80-\u0cff",
    "malayalam": "\u0d00-\u0d7f",
    "thai": "\u0e00-\u0e7f",
    "khmer": "\u1780-\u17ff",
    "burmese": "\u1000-\u109f",
    "georgian": "\u10a0-\u10ff",
    "armenian": "\u0530-\u058f",
    "hangul": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "kana": "\u3040-\u30ff",
    "han": "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff",
}

SCRIPTS: Final[dict[str, tuple[str, ...]]] = {
    "latin": (
        *("en", "de", "fr", "es", "pt", "it", "ca", "ro", "nl", "sv", "da", "no", "fi", "et", "hu"),
        *("pl", "cs", "sk", "sl", "hr", "lt", "lv", "tr", "id", "vi"),
    ),
    "cyrillic": ("ru", "uk", "bg", "sr"),
    "arabic": ("ar", "fa", "ur"),
    "devanagari": ("hi", "mr"),
    "greek": ("el",),
    "hebrew": ("he",),
    "bengali": ("bn",),
    "gurmukhi": ("pa",),
    "gujarati": ("gu",),
    "tamil": ("ta",),
    "telugu": ("te",),
    "kannada": ("kn",),
    "malayalam": ("ml",),
    "thai": ("th",),
    "khmer": ("km",),
    "burmese": ("my",),
    "georgian": ("ka",),
    "armenian": ("hy",),
    "hangul": ("ko",),
    "kana": ("ja",),
    "han": ("zh",),
}

# letters that tell a language from those it shares its script with
LETTERS: Final[dict[str, str]] = {
    "ru": "ыэё",
    "uk": "іїєґ",
    "bg": "",
    "sr": "ђћљњџј",
    "fa": "\u067e\u0686\u0698\u06af\u06cc",
    "ur": "\u0679\u0688\u0691\u06ba\u06d2\u06c1",
    "ar": "ةىأإ",
    "vi": "ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹơư",
    "ro": "țșţş",
    "tr": "ığ",
    "pl": "łąęśźż",
    "cs": "řůě",
    "sk": "ĺľŕô",
    "hu": "őű",
    "lv": "āēīūļņģķ",
    "lt": "ėųįū",
    "et": "õ",
    "de": "ß",
    "pt": "ãõ",
    "es": "ñ¿¡",
    "hr": "đ",
}

WORDS: Final[dict[str, str]] = {
    "en": "the of and to a in is it you that for on with are as this be have not or by from at an was what your which can will if we they there do how my me when no all so but has more would should about these",
    "de": "der die das und ist nicht ein eine zu den dem von mit sich auf für im es ich sie wir ihr auch als wie bei oder werden wird nach aus einen einer einem sind kann aber wenn noch nur über was du dass bitte mir diese dieser dieses keine zum zur um vor durch",
    "fr": "le la les de des du et est un une dans que qui pour pas sur vous nous je il elle ce cette ces avec au aux par plus ne en son sa ses se sont être ou mais comme si votre vos mon peut d'un d'une c'est à où leur fait très ils elles tu te tous avant après pourquoi quand l'utilisateur n'est",
    "es": "el la los las de del y es un una en que por con para no se su sus al lo como más pero este esta o ha son está muy yo mi me te tu si cuando ser puede hay entre sobre también sin qué cómo porque desde fue estos estas",
    "pt": "o a os as de do da dos das e é um uma em no na nos nas que por com para não se seu sua ao mais como mas este esta ou são está muito eu você meu minha quando ser pode há sobre também sem foi isso pelo pela esse essa seus",
    "it": "il lo la i gli le di del della dei delle e è un una in che per non si con su da al alla nel nella sono come più ma questo questa o ha anche io mi ti se quando essere può tra suo sua cosa perché dal dalla degli sul sulla",
    "ca": "el la els les de del i és un una en que per amb no es al com més però aquest aquesta o ha són està molt jo quan ser pot hi sobre també sense què dels aquests seu seva pel d'un d'una l'usuari cal",
    "ro": "și în de la cu pe un o nu este sunt care pentru din să se mai ca ce dar sau fi al ale ai a lui fost această acest prin după fără dacă poate trebuie am eu îmi când",
    "nl": "de het een en van in is dat te op niet met voor zijn aan er die als ook maar om bij of uit naar dan wordt worden door je ik we ze mijn dit deze kan nog wel geen wat hoe over heeft hebben uw moet",
    "sv": "och att det som en på är av för med den till inte om ett jag du har de kan var från eller men vi så när ska detta denna den här vad hur alla måste inga utan efter",
    "da": "og at det som en på er af for med den til ikke om et jeg du har de kan var fra eller men vi så når skal denne dette hvad hvordan alle blev være efter uden kunne meget noget nogle hvis mig dig sig bliver også kun nu mere der været selv vælg",
    "no": "og å det som en på er av for med den til ikke om et jeg du har de kan var fra eller men vi så når skal denne dette hva hvordan alle ble være etter uten kunne mye noe noen hvis meg deg seg blir også bare nå mer der vært selv velg at",
    "fi": "ja on ei että se oli kun niin mutta hän joka ovat tämä mitä myös vain kuin tai jos sen ole voi minä sinä voit ne tämän siitä mikä kanssa sekä jo ovat olla pitää täytyy tässä tätä sitä johon jota joita olevan eivät voida kaikki useita ennen",
    "et": "ja on ei et see oli kui aga ta mis või ka ning seda ma sa oma siis kuid nii olema selle peab pole saab tuleb kas ning kõik ei ole",
    "hu": "a az és hogy nem is egy ez van de meg csak ha mint már kell azt vagy ki volt el lehet ezt még minden után én te hogyan mi nincs lesz ezek ilyen olyan",
    "pl": "i w na z do się nie to że jest o jak po co za od dla ale tak czy być przez tego ten są lub może ma mnie który która które już tylko jego oraz także można przy",
    "cs": "a v na se je že to s z do o i k za si po jako ale pro by které který jsou ve od při není být nebo tak podle jak jeho tento může co když byl pouze také musí tuto",
    "sk": "a v na sa je že to s z do o i k za si po ako ale pre by ktoré ktorý sú vo od pri nie je byť alebo tak podľa jeho tento môže čo keď bol len tiež musí túto",
    "sl": "in v na se je da so za z ne pa ki po kot bi tudi od iz ali tem pri še ni sem lahko biti če kako to ta vse mora samo med ste te ti vas mogoče ter niso bo ima kar ko vendar zato tega",
    "hr": "i u na se je da su za s ne koji koja kao od iz ili što bi ali nije može biti ako kako to ovaj sve mora samo ovo već nego prema",
    "lt": "ir yra į kad su ne tai iš bet kaip jis nuo už jei ar apie tik po buvo gali arba būti šis turi kuris prie dėl nėra",
    "lv": "un ir ka uz ar no nav ne par bet kā vai arī tas šo lai pie var būt ja šis kas kuru jau tikai vairāk",
    "tr": "ve bir bu için ile da de ne çok daha gibi olarak olan mi mı ama ben sen var en kadar değil veya şu nasıl ya ki sonra her bana değildir lütfen olduğu",
    "id": "yang dan di ini itu dengan untuk tidak dari dalam akan pada adalah ke saya anda atau juga oleh bisa ada karena dapat sebagai kami kita telah sudah jika apa bagaimana harus lebih",
    "vi": "là và của có không được cho một các trong với này để những người đã khi thì bạn tôi như về cũng từ nếu hoặc phải bằng rằng nào",
    "ru": "и в не на что я с он как это по но из у за так же от о для вы мы бы или если только его ее был их когда уже можно нет чтобы при есть может",
    "uk": "і в не на що я з він як це по але у за так від о для ви ми би або якщо тільки його був їх коли вже можна ні щоб при є та до цей може",
    "bg": "и в не на че с как това по но от за се да е са го бе или ако само когато вече може няма при ще бъде който която които си или със аз този тази трябва",
    "sr": "и у не на да је се за са су од као али то из или ако само када већ може није при бити који која које овај што по",
    "ar": "في من على إلى أن هذا هذه التي الذي ما لا هو هي عن مع كان أو هل يمكن كل بعد لم قد أنا ثم إذا لا يمكنك يجب",
    "fa": "و در به از که این را با است برای آن یک می تا بر هم یا شما من بود ها نیست شده اگر باید کنید کرد",
    "ur": "کے میں کی ہے اور سے کا کو اس پر نہیں یہ کہ ہیں ایک جو بھی کر آپ تھا یا نے لیے ہو براہ کرم کیا کریں کسی ہوا گیا کرنے وہ سکتے ساتھ",
    "hi": "के में की है और से का को इस पर नहीं यह कि हैं एक जो भी कर आप था या ने लिए हो मैं क्या कैसे",
    "mr": "आहे आणि या ते हे नाही मी तर की एक त्या करा होते आहेत पण साठी काय कसे आपण किंवा असे",
}
