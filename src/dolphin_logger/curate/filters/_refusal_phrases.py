"""How models refuse, language by language: the phrases, as data.

For each language an optional apology, and the beginnings of a sentence that refuses. They are
matched at the beginning of an answer only, without case, with straight apostrophes. Phrases that
also speak of what went wrong ("I can't find the file", "I can't help but notice") are left out.
Invariant: no phrase has a repetition without a bound.
"""

# ruff: noqa: RUF001 -- letters of other scripts are what this is about
from __future__ import annotations

from typing import Final

# what is not given: "provide *that kind of information*"
_EN_OBJECT: Final = (
    r"(?:(?:you )?(?:with )?(?:any |any of )?(?:that|this|these|those|such)\b"
    r"|(?:\w+(?:'s)? ){0,5}?(?:content|instructions?|guidance|information|advice|assistance|material"
    r"|requests?|details|help|support)\b)"
)
_EN_CANNOT: Final = (
    r"(?:i (?:simply |really |just )?(?:can'?t|can ?not(?: and will not)?|won'?t|will not|must decline(?: to)?|have to decline(?: to)?|decline(?: to)?"
    r"|(?:'m|am) (?:sorry, but i )?(?:not able|unable|not going|not comfortable|not allowed|not permitted)"
    r"(?: to)?)|i'm (?:not able|unable|not going|not comfortable|not allowed|not permitted)(?: to)?)"
)

# why it is not given: with one of these near, anything may be what is not given
_EN_BECAUSE: Final = (
    r"(?=[\s\S]{0,300}?\b(?:illegal|unethical|immoral|harm(?:ful|s|ing)?\b|inappropriate|not (?:appropriate|ethical)"
    r"|(?:ethical|safety) guidelines|(?:content|safety|usage) polic|my (?:programming|guidelines|purpose)\b"
    r"|i(?:'m| am) an ai\b|violates? (?:my|the law|the rights|copyright|privacy)|violen|dangerous|offensive"
    r"|discriminat|harass|hat(?:e|eful|red)\b|defam|glorif|misinformation|unsafe|malicious|fraudulent|scams?\b"
    r"|disrespect|intended to|(?:can i help you with|is there) (?:something|anything) else))"
)
_EN_AI: Final = r"as an? (?:\w+ )?(?:ai|artificial intelligence|language model|large language model)\b[^.!\n]{0,60}?"
_EN_BUT_HELPS: Final = r"(?![^\n]{0,200}\b(?:however|but),? (?:i can|here|let me|i'd be))"

PHRASES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "en": (
        (
            r"(?:(?:i'?m|i am)(?: \w+)? sorry|sorry|(?:my |i )?apolog(?:ies|i[sz]e)(?: for [^.,!\n]{0,40})?"
            r"|unfortunately|i understand[^.!\n]{0,80}|i appreciate[^.!\n]{0,80}|thank you[^.!\n]{0,60})"
        ),
        (
            (
                rf"{_EN_CANNOT} (?:be able to )?(?:help|assist)(?:ing)?(?: you)?(?! but\b)"
                r"(?= ?(?:with|you|in|on|to|there|here|[.,!]|$))"
            ),
            rf"{_EN_CANNOT} (?:comply|complying|fulfil+|fulfil+ing|engage in|condone|participate in|accommodate)\b",
            rf"{_EN_CANNOT} (?:do|doing|say|saying) (?:that|this)(?= ?(?:[.!]|$|, as|because it))",
            (
                rf"{_EN_CANNOT} (?:provide|providing|share|sharing|give|giving|offer|offering|create|creating"
                rf"|generate|generating|write|writing|produce|producing|discuss|discussing|answer|answering"
                rf"|support|continue with|fulfill) {_EN_OBJECT}"
            ),
            (
                rf"{_EN_CANNOT} (?:be able to )?(?:provid|shar|giv|offer|creat|generat|writ|produc|discuss|answer"
                rf"|support|mak|endors|promot|encourag|recommend|develop|suggest|bypass|show|teach|explain|draft|design|describ)"
                rf"(?:e|ing)?\b{_EN_BECAUSE}"
            ),
            (
                rf"{_EN_AI}\bi (?:can'?t|can ?not|don't|do not|won't|(?:'m|am) (?:not able|unable|not capable))"
                rf"{_EN_BUT_HELPS}"
            ),
            (
                rf"{_EN_AI}\bit(?:'s| is| would be| goes) (?:not (?:\w+ ){{0,3}}(?:appropriate|ethical|right|within)|against"
                r"|inappropriate|unethical|illegal)"
            ),
            (
                r"(?:that's|this is) (?:not )?something (?:that )?i (?:can'?t|can ?not|won't|'m not able|can)"
                r" (?:help|assist|do|to help)"
            ),
            r"i'd rather not (?:help|assist|engage|continue)",
            r"i (?:must|have to) (?:\w+ )?decline (?:this|that|your)\b",
            r"(?:this|your) request (?:violates|goes against|is against)",
        ),
    ),
    "de": (
        (
            r"(?:es tut mir (?:\w+ )?leid|tut mir (?:\w+ )?leid|leider|entschuldigung|ich bedaure"
            r"|entschuldige bitte)"
        ),
        (
            (
                r"(?:dabei|damit|hierbei|bei (?:\w+ ){1,3}?|mit (?:\w+ ){1,3}?) ?(?:kann|darf|werde) ich"
                r"(?: \w+){0,3}? nicht (?:weiter)?(?:helfen|unterstützen|dienen)"
            ),
            (
                r"(?:ich )?(?:kann|darf|werde) (?:ich )?(?:\w+ ){0,3}?(?:dabei|damit|bei|hierbei|hier)"
                r"(?: \w+){0,6}? nicht (?:weiter)?(?:helfen|unterstützen|behilflich)"
            ),
            (
                r"(?:ich )?(?:kann|darf|werde) (?:ich )?(?:\w+ ){0,2}?(?:diese[rnms]?|solche[nrs]?|deine[rn]?"
                r"|ihre[rn]?)(?: \w+){0,2}? (?:anfrage|bitte|anliegen|inhalte|informationen)(?: \w+){0,4}? nicht\b"
            ),
            (
                r"(?:ich )?(?:kann|darf|werde) (?:ich )?(?:\w+ ){0,2}?keine (?:\w+ ){0,4}?(?:anleitung(?:en)?|hilfe"
                r"|informationen|auskunft|inhalte|ratschläge|unterstützung)\b"
            ),
            (
                r"als (?:ki|künstliche intelligenz|sprachmodell|ki-(?:assistent|modell|sprachmodell))"
                r"[^.!\n]{0,40}? (?:kann|darf|habe|bin) ich[^.!\n]{0,40}? (?:nicht|keine)"
            ),
        ),
    ),
    "fr": (
        r"(?:(?:je suis )?(?:vraiment )?désolée?|je m'excuse|malheureusement|je regrette|navrée?)",
        (
            (
                r"(?:mais )?je ne (?:peux|suis pas en mesure|saurais|vais)(?: pas)?(?: de)? (?:vous |t'|te )?"
                r"(?:aider|assister|répondre à (?:cette|votre|ta) demande|fournir (?:\w+ ){0,3}?(?:ce|ces|cette"
                r"|d'informations?|d'instructions?|d'aide|de conseils?))"
            ),
            r"en tant qu'(?:ia|intelligence artificielle|assistant|modèle)[^.!\n]{0,60}? je ne (?:peux|suis)",
        ),
    ),
    "es": (
        r"(?:lo siento(?: mucho)?|lo lamento|lamentablemente|perdón?|disculpa|me temo que)",
        (
            (
                r"(?:pero )?no (?:puedo|podré|me es posible|estoy en condiciones de) (?:ayudar(?:te|le|los|les)?"
                r"|asistir(?:te|le)?|cumplir (?:con )?(?:esa|esta|tu|su)|proporcionar(?:te|le)? (?:\w+ ){0,3}?(?:es[aeo]s?"
                r"|información|instrucciones|ayuda|contenido)|hacer eso|participar en)"
            ),
            r"como (?:una? )?(?:ia|inteligencia artificial|modelo de lenguaje|asistente)[^.!\n]{0,60}? no (?:puedo|tengo)",
        ),
    ),
    "pt": (
        r"(?:(?:eu )?(?:sinto|lamento) muito|lamento|desculpe?|infelizmente|me desculpe?)",
        (
            (
                r"(?:mas )?(?:eu )?não (?:posso|consigo|poderei|me é possível) (?:te |lhe |o |a )?"
                r"(?:ajudar|auxiliar|atender (?:a )?(?:ess[ea]|est[ea]|seu|sua|ao seu)|fornecer (?:\w+ ){0,3}?"
                r"(?:ess[ea]s?|informações|instruções|ajuda|conteúdo)|fazer isso|participar de)"
            ),
            r"como (?:uma? )?(?:ia|inteligência artificial|modelo de linguagem|assistente)[^.!\n]{0,60}? não (?:posso|tenho)",
        ),
    ),
    "it": (
        r"(?:mi dispiace(?: molto)?|purtroppo|mi scuso|spiacente|sono spiacente)",
        (
            (
                r"(?:ma )?non (?:posso|sono in grado di) (?:aiutar(?:ti|la|vi|e)|assister(?:ti|la|e)"
                r"|fornir(?:ti|le|e) (?:\w+ ){0,3}?(?:quest[aeio]|informazioni|istruzioni|aiuto|assistenza|contenuti)"
                r"|soddisfare (?:quest|la tua|la sua)|farlo|partecipare a)"
            ),
            r"(?:come|in quanto) (?:ia|intelligenza artificiale|modello linguistico|assistente)[^.!\n]{0,60}? non (?:posso|ho)",
        ),
    ),
    "nl": (
        r"(?:het spijt me|sorry|helaas|mijn excuses)",
        (
            (
                r"(?:maar )?(?:ik kan|kan ik) (?:je |u |jou )?(?:\w+ ){0,2}?(?:daar|hier|met (?:dit|dat|deze|die))"
                r"(?: \w+){0,3}? niet (?:mee |bij )?(?:helpen|assisteren)"
            ),
            r"(?:maar )?(?:ik kan|kan ik) (?:\w+ )?geen (?:\w+ )?(?:hulp|informatie|instructies|advies) (?:\w+ ){0,4}?geven",
            r"als (?:een )?(?:ai|taalmodel|ai-assistent)[^.!\n]{0,40}? kan ik[^.!\n]{0,40}? (?:niet|geen)",
        ),
    ),
    "pl": (
        r"(?:(?:bardzo )?(?:mi )?przykro(?: mi)?|przepraszam|niestety)",
        (
            (
                r"(?:ale )?nie (?:mogę|jestem w stanie) (?:ci |panu |pani |w tym )?(?:w tym )?"
                r"(?:pomóc|udzielić (?:takiej|takich|tej|tych|informacji|pomocy)|spełnić (?:tej|twojej)"
                r"|dostarczyć (?:takich|tych|takiej))"
            ),
        ),
    ),
    "ru": (
        r"(?:(?:мне )?(?:очень )?жаль|извините|простите|к сожалению|прошу прощения)",
        (
            (
                r"(?:но )?(?:я )?не (?:могу|смогу|буду|имею возможности) (?:вам |тебе )?(?:с этим |в этом )?"
                r"(?:помочь|помогать|выполнить (?:этот|ваш|эту|твой)|предоставить (?:так|эт|информаци|инструкц)"
                r"|ответить на (?:этот|ваш)|обсуждать|участвовать)"
            ),
            r"(?:как|будучи) (?:ии|искусственный интеллект|языковая модель|языковой моделью)[^.!\n]{0,60}? не (?:могу|имею)",
        ),
    ),
    "uk": (
        r"(?:(?:мені )?(?:дуже )?(?:шкода|прикро)|вибачте|перепрошую|на жаль)",
        (
            (
                r"(?:але )?(?:я )?не (?:можу|зможу|буду) (?:вам |тобі )?(?:з цим |у цьому |в цьому )?"
                r"(?:допомогти|допомагати|виконати (?:цей|ваш|це)|надати (?:так|ц|інформаці|інструкці))"
            ),
        ),
    ),
    "tr": (
        r"(?:üzgünüm|maalesef|özür dilerim|ne yazık ki)",
        (
            (
                r"(?:ama |ancak |fakat )?(?:\w+ ){0,5}?(?:yardımcı olamam|yardımcı olamıyorum|yardım edemem"
                r"|yerine getiremem|sağlayamam|cevap veremem)"
            ),
        ),
    ),
    "sv": (
        r"(?:jag är (?:\w+ )?ledsen|tyvärr|förlåt|jag beklagar)",
        (
            (
                r"(?:men )?(?:jag )?kan (?:jag )?(?:tyvärr )?inte (?:hjälpa (?:dig |till )?(?:med|till)|bistå"
                r"|ge (?:dig )?(?:\w+ )?(?:information|instruktioner|råd))"
            ),
        ),
    ),
    "id": (
        r"(?:(?:saya )?(?:mohon )?maaf|sayangnya)",
        (
            (
                r"(?:tetapi |namun |tapi )?(?:saya )?tidak (?:dapat|bisa) (?:membantu|memenuhi permintaan"
                r"|memberikan (?:informasi|instruksi|bantuan|panduan))"
            ),
        ),
    ),
    "vi": (
        r"(?:(?:tôi )?(?:rất )?(?:xin lỗi|tiếc)|rất tiếc)",
        (
            (
                r"(?:nhưng )?(?:tôi )?(?:không thể|không được phép) (?:giúp|hỗ trợ|đáp ứng yêu cầu"
                r"|cung cấp (?:thông tin|hướng dẫn|nội dung))"
            ),
        ),
    ),
    "zh": (
        r"(?:非常|很|十分)?(?:抱歉|对不起|對不起|遗憾|遺憾|不好意思)",
        (
            (
                r"(?:但是?)?我?(?:无法|無法|不能|不可以|没办法|沒辦法)(?:为您|为你|為您|為你|向您|向你)?(?:在?这方面|在?這方面)?"
                r"(?:提供(?:这|這|此|该|該|任何|相关|相關|有关|有關|帮助|幫助|协助|協助)|帮助您|帮助你|幫助您|幫助你|帮您|帮你|幫您|幫你|协助|協助|满足|滿足|回答(?:这|這|该|該|您)"
                r"|参与|參與|讨论|討論|继续(?:这|讨论))"
            ),
            r"作为(?:一个|一款)?(?:人工智能|AI|语言模型)[^。！\n]{0,30}?我?(?:无法|不能|没有)",
        ),
    ),
    "ja": (
        r"(?:大変)?(?:申し訳(?:ございません|ありません|ないです)|すみません|恐れ入ります|残念ながら)(?:が|けど)?",
        (
            (
                r"[^。！\n]{0,40}?(?:お手伝い(?:する(?:こと)?は?)?でき(?:ません|かねます)|お手伝いすることはできません|お答えでき(?:ません|かねます)"
                r"|お応えでき(?:ません|かねます)|対応でき(?:ません|かねます)|提供(?:する(?:こと)?は?)?でき(?:ません|かねます))"
            ),
        ),
    ),
    "ko": (
        r"(?:정말 |대단히 )?(?:죄송합니다|죄송하지만|미안합니다|미안하지만|유감스럽게도|안타깝지만)(?:만)?",
        (
            r"[^.!\n]{0,40}?(?:도와드릴 수 없|도와 드릴 수 없|도움을 드릴 수 없|제공(?:할|해 ?드릴) 수 없|응할 수 없|답변(?:할|해 ?드릴|드릴) 수 없)",
        ),
    ),
    "ar": (
        r"(?:أنا )?(?:آسف|أعتذر|عذر[اً]{1,2}|للأسف|نأسف)",
        (
            (
                r"[،, ]{0,3}(?:ولكن |لكن |لكنني |ولكنني )?(?:لا أستطيع|لا يمكنني|لن أتمكن من) "
                r"(?:أن )?(?:مساعدتك|المساعدة|تقديم|أساعدك|أقدم|تلبية)"
            ),
        ),
    ),
    "hi": (
        r"(?:मुझे )?(?:खेद है|क्षमा करें|माफ़ करें|माफ करें|मैं क्षमा चाहता हूँ)",
        (
            (
                r"[^।!\n]{0,60}?(?:मदद नहीं कर सकता|मदद नहीं कर सकती|सहायता नहीं कर सकता|सहायता नहीं कर सकती"
                r"|प्रदान नहीं कर सकता)"
            ),
        ),
    ),
}
