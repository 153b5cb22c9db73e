"""Language: what is told, and what is left untold."""

# ruff: noqa: RUF001 -- letters of other scripts are what this is about
from __future__ import annotations

import pytest
from tests.support.filtered import calls, example, gives, says, user

from dolphin_logger.curate.filters import language
from dolphin_logger.errors import DatasetError

TEXTS = {
    "en": "Could you tell me why the tests fail on this machine? They were all green before the update.",
    "de": "Kannst du mir sagen, warum die Tests auf diesem Rechner scheitern? Vor dem Update waren sie noch grün.",
    "fr": "Peux-tu me dire pourquoi les tests échouent sur cette machine ? Ils passaient tous avant la mise à jour.",
    "es": "¿Puedes decirme por qué fallan las pruebas en esta máquina? Antes de la actualización pasaban todas.",
    "pt": "Você pode me dizer por que os testes falham nesta máquina? Antes da atualização todos passavam.",
    "it": "Puoi dirmi perché i test falliscono su questa macchina? Prima dell'aggiornamento erano tutti verdi.",
    "nl": "Kun je mij zeggen waarom de tests op deze machine falen? Voor de update waren ze allemaal nog groen.",
    "sv": "Kan du säga mig varför testerna misslyckas på den här datorn? Alla var gröna innan uppdateringen.",
    "da": "Kan du sige mig, hvorfor testene fejler på denne maskine? De var alle grønne, før jeg opdaterede den, og nu bliver de røde.",
    "pl": "Czy możesz mi powiedzieć, dlaczego testy nie działają na tym komputerze? Przed aktualizacją były zielone.",
    "cs": "Můžeš mi říct, proč testy na tomto počítači selhávají? Před aktualizací byly všechny zelené.",
    "fi": "Voitko sanoa minulle, miksi testit eivät mene läpi tällä koneella? Ne olivat kaikki vihreitä ennen päivitystä.",
    "hu": "Meg tudod mondani, hogy miért nem mennek át a tesztek ezen a gépen? A frissítés előtt még minden zöld volt.",
    "tr": "Bu makinede testlerin neden başarısız olduğunu bana söyler misin? Güncellemeden önce hepsi yeşildi ve çok iyi çalışıyordu.",
    "id": "Bisakah kamu memberi tahu saya mengapa tes ini gagal di mesin ini? Sebelum pembaruan semuanya hijau.",
    "vi": "Bạn có thể cho tôi biết vì sao các bài kiểm tra bị lỗi trên máy này không?",
    "ru": "Можешь сказать мне, почему тесты не проходят на этой машине? До обновления они были зелёными.",
    "uk": "Чи можеш ти сказати мені, чому тести не проходять на цій машині? До оновлення вони були зелені.",
    "bg": "Можеш ли да ми кажеш защо тестовете не минават на тази машина? Преди обновяването те бяха зелени и всичко беше добре.",
    "el": "Μπορείς να μου πεις γιατί αποτυγχάνουν τα τεστ σε αυτό το μηχάνημα;",
    "ar": "هل يمكنك أن تخبرني لماذا تفشل الاختبارات على هذا الجهاز؟ كانت كلها ناجحة قبل التحديث.",
    "fa": "می‌توانی به من بگویی چرا آزمون‌ها در این دستگاه شکست می‌خورند؟ پیش از به‌روزرسانی همه سبز بودند.",
    "he": "אתה יכול להגיד לי למה הבדיקות נכשלות במחשב הזה?",
    "hi": "क्या आप मुझे बता सकते हैं कि इस मशीन पर परीक्षण क्यों विफल हो रहे हैं?",
    "th": "ช่วยบอกหน่อยได้ไหมว่าทำไมการทดสอบถึงล้มเหลวบนเครื่องนี้",
    "ko": "이 컴퓨터에서 테스트가 왜 실패하는지 알려 줄 수 있나요?",
    "ja": "このマシンでテストが失敗する理由を教えてください。更新前はすべて成功していました。",
    "zh": "你能告诉我为什么这台机器上的测试会失败吗？更新之前全部都是通过的。",
}
_CODE = (
    "```python\nfor the in and_of:\n    if this is not that: print('the end of the world')\n```\n"
    * 5
)
UNTOLD = {
    "one word": "OK",
    "numbers": "42 + 7 = 49",
    "code": _CODE,
    "paths": "/usr/the/of/and src/in/to.py https://is.a/for?on=with `the and of to in`",
    "names": "Paris Berlin Madrid Roma Lisboa Amsterdam Stockholm København",
    "nothing": "",
}


@pytest.mark.parametrize("code", TEXTS)
def test_the_language_of_two_sentences_is_told(code: str) -> None:
    """Two sentences are enough in each of the larger languages."""
    assert language.language_of([TEXTS[code]]) == code


@pytest.mark.parametrize("text", UNTOLD.values(), ids=UNTOLD)
def test_what_is_no_prose_has_no_language(text: str) -> None:
    """Too little, code, paths and names are of no language."""
    assert language.language_of([text]) is None


@pytest.mark.parametrize("code", ["de", "ja", "ru"])
def test_english_code_does_not_make_a_conversation_english(code: str) -> None:
    """What is written around the code decides."""
    assert language.language_of([TEXTS[code] + "\n" + _CODE]) == code


def test_only_what_was_said_counts() -> None:
    """The language is that of people and model: not of tools, nor of the instructions."""
    made = language.make(language.Settings(languages=("de",)))
    assert made is not None
    system = {"role": "system", "content": TEXTS["en"] * 9}
    german = [
        system,
        user(TEXTS["de"]),
        calls("run"),
        gives(TEXTS["en"] * 9, call="run"),
        says("Ja."),
    ]
    assert made.reason(example(*german)) is None
    assert made.reason(example(user(TEXTS["fr"]), says("Oui."))) == "language fr, wanted de"


def test_the_larger_part_decides() -> None:
    """A conversation in two languages is of the one that most of it is in."""
    assert language.language_of([TEXTS["en"], *[TEXTS["fr"]] * 4]) == "fr"


def test_an_untold_language_stays_unless_it_is_not_wanted() -> None:
    """Short conversations are kept by default, for nothing speaks against them."""
    short = example(user("1 + 1?"), says("2"))
    for unknown, reason in [("keep", None), ("drop", "unknown language, wanted en")]:
        made = language.make(language.Settings(languages=("en",), unknown=unknown))
        assert made is not None
        assert made.reason(short) == reason


def test_a_language_that_cannot_be_told_is_an_error() -> None:
    """A recipe that names a language unknown here would drop everything, and says so at once."""
    with pytest.raises(
        DatasetError, match=r"filters\.language: unknown language 'tlh'; known: ar, bg"
    ):
        language.make(language.Settings(languages=("tlh",)))


@pytest.mark.timeout(10)  # what is looked for twice at a place takes longer by far
@pytest.mark.parametrize("piece", ["a", "a.", "<", "`", "a/", "\\", "<a", "~~~\n", "é", "x`\n"])
def test_hostile_text_is_read_to_its_end(piece: str) -> None:
    """Nothing is looked for twice at the same place: long runs without a space do not take minutes."""
    language.language_of([piece * 200_000])
