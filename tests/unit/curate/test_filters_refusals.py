"""Refusals: what must be dropped and what must stay, language by language."""

# ruff: noqa: RUF001 -- letters of other scripts are what this is about
from __future__ import annotations

import pytest
from tests.support.filtered import answer, calls, example, says, user

from dolphin_logger.curate.filters import refusals
from dolphin_logger.curate.said import ALL
from dolphin_logger.example import Example

MUST_DROP = [
    "I'm sorry, but I can't assist with that.",
    "I’m sorry, I can’t help with that request.",
    "I'm sorry, but I cannot help you with that.",
    "I cannot assist you in creating malware.",
    "Sorry, I can't help with this one.",
    "I can't help you to break into that account.",
    "I'm unable to help with that.",
    "I am not able to provide instructions on how to pick locks.",
    "I won't provide guidance on this.",
    "I can't provide that kind of information.",
    "I apologize, but I cannot fulfill this request.",
    "I apologize for any confusion, but I'm not able to generate that type of content.",
    "Unfortunately, I can't assist with that.",
    "I cannot comply with this request as it would be harmful.",
    "I must decline to engage in this conversation.",
    "I'm not going to help with that. It could hurt someone.",
    "I'm not comfortable providing that content.",
    "As an AI language model, I cannot have personal opinions or feelings.",
    "As an AI, I don't have access to personal data, so I can't say.",
    "I understand that you are curious, but I can't discuss this information.",
    "Thank you for asking, but I can't help with that.",
    "**I can't do that.** It would be unsafe.",
    "That's not something I can help with.",
    "I can't write that kind of content.",
    "I must decline this request.",
    "I cannot and will not provide instructions for this.",
    "I cannot provide you with a list of targets.\n\nMy purpose is to be helpful and harmless.",
    "I cannot provide a tutorial on that. It is illegal and could harm others.",
    "I cannot write a poem that glorifies violence. Can I help you with something else?",
    "I cannot fulfill your request. I'm just an AI. "
    + "It is not within my guidelines to do so. " * 50,
    "I'm sorry, but as an AI language model, it is not appropriate to make such comments.",
    "I'm sorry, but I can't create content of this kind.",
    "Es tut mir leid, aber ich kann dir dabei nicht helfen.",
    "Tut mir leid, bei dieser Anfrage kann ich nicht helfen.",
    "Leider kann ich Ihnen bei diesem Anliegen nicht weiterhelfen.",
    "Ich kann dazu keine Anleitung geben.",
    "Ich kann diese Anfrage nicht beantworten.",
    "Als KI-Sprachmodell kann ich keine persönliche Meinung haben.",
    "Je suis désolé, mais je ne peux pas vous aider avec cette demande.",
    "Désolée, je ne peux pas t'aider à faire cela.",
    "En tant qu'IA, je ne peux pas donner d'avis personnel.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "Lamentablemente, no puedo proporcionar esa información.",
    "Desculpe, mas não posso ajudar com isso.",
    "Sinto muito, mas não posso fornecer essas informações.",
    "Mi dispiace, ma non posso aiutarti con questa richiesta.",
    "Purtroppo non posso fornire queste informazioni.",
    "Het spijt me, maar ik kan je daar niet mee helpen.",
    "Przykro mi, ale nie mogę w tym pomóc.",
    "Извините, но я не могу помочь с этим.",
    "К сожалению, я не могу выполнить этот запрос.",
    "Вибачте, але я не можу допомогти з цим.",
    "Üzgünüm, bu konuda yardımcı olamam.",
    "Tyvärr kan jag inte hjälpa till med det.",
    "Maaf, saya tidak dapat membantu dengan permintaan itu.",
    "Xin lỗi, tôi không thể giúp bạn với yêu cầu này.",
    "很抱歉，我无法提供这方面的帮助。",
    "对不起，我不能帮助您完成这个请求。",
    "抱歉，我無法協助這個請求。",
    "申し訳ありませんが、そのご要望にはお応えできません。",
    "申し訳ございませんが、お手伝いすることはできません。",
    "죄송합니다만, 그 요청은 도와드릴 수 없습니다.",
    "عذراً، لا أستطيع مساعدتك في ذلك.",
    "मुझे खेद है, लेकिन मैं इसमें आपकी मदद नहीं कर सकता।",
]

MUST_KEEP = [
    # something went wrong, which is not a refusal
    "I can't find the file `config.py` in the repository.",
    "I cannot write to /etc/hosts: permission denied.",
    "I couldn't reproduce the failure on Python 3.12.",
    "I can't see any errors in this function; it looks correct.",
    "I cannot create the directory because it exists already.",
    "I'm unable to connect to the database; is it running?",
    "I can't provide an exact date, but it was around 1848.",
    "I'm sorry, I made a mistake. The correct answer is 42.",
    "Sorry about that! Here is the corrected version.",
    "I apologize for the confusion. You are right: the index starts at 0.",
    "Unfortunately, the API does not support this. Use `v2` instead.",
    "I cannot write a test for this, because the function has no return value.",
    "I can't recommend a version without knowing your operating system. Which one is it?",
    "I cannot create the bucket: the IAM policy denies it.",
    "I can't write to this table because the row violates a foreign key. Whatever I insert is refused.",
    "I can't show the diff, for the file is binary. The harmony test reads it as a whole.",
    # help, in words that sound like it
    "As an AI language model, I don't have the ability to listen to music. However, I can suggest a tune.",
    "I can help with that. First, install the package.",
    "I can't help but notice that the loop never ends.",
    "I can't recommend this library enough!",
    "As an AI language model, I can help you draft the letter. Dear Ms Lee, …",
    "As an assistant engineer, I can't stress this enough: test the backups.",
    "I won't use recursion here, because the list may be long.",
    # quotations and texts about refusals
    "\"I'm sorry, but I can't help with that\" is a typical refusal of assistants.",
    "“I can't assist with that.” — a phrase that users know well.",
    "> I'm sorry, I can't help with that.\n\nThat is what the old model said.",
    "The bot answered: I'm sorry, but I can't assist with that.",
    "Customer: Can you help me?\nAgent: I'm sorry, I can't help with that.",
    "He cannot help you with that, but she can.",
    "You can't provide that information to third parties under the GDPR.",
    "If I can't help with that, nobody can.",
    "Der Dienst kann dabei nicht helfen, weil er abgeschaltet ist.",
    "Ich kann die Datei nicht finden. Liegt sie in einem anderen Ordner?",
    "Leider ist der Server nicht erreichbar.",
    "Je ne peux pas trouver ce fichier dans le dépôt.",
    "Lo siento, me equivoqué: la respuesta correcta es 42.",
    "No puedo encontrar el archivo en esa carpeta.",
    "Não consigo encontrar o arquivo.",
    "К сожалению, файл не найден.",
    "抱歉，刚才的代码有误，下面是修改后的版本。",
    "无法连接到服务器，请检查网络。",
    "申し訳ありません、先ほどの答えは間違っていました。正しくは42です。",
    "죄송합니다. 제가 실수했습니다. 정답은 42입니다.",
    # refused a part and helped with the rest
    "I can't help with the exploit itself, but here is how to patch it:\n```c\nfree(p); p = NULL;\n```",
    "I can't help with the first part. " + "For the second part there is much to say. " * 80,
    "",
]


def _reason(one: Example, *, scope: str = "answer") -> str | None:
    made = refusals.make(refusals.Settings(drop=True, scope=scope))
    assert made is not None
    return made.reason(one)


@pytest.mark.parametrize("text", MUST_DROP)
def test_a_refusal_is_found(text: str) -> None:
    """Typical refusals are dropped, with their own words as the reason."""
    reason = _reason(answer(text))
    assert reason is not None
    assert reason.startswith("the model refused (")


@pytest.mark.parametrize("text", MUST_KEEP)
def test_what_only_sounds_like_a_refusal_stays(text: str) -> None:
    """Failures, corrections, quotations and half refusals are kept."""
    assert _reason(answer(text)) is None


def test_a_refusal_that_the_vendor_tells_is_found() -> None:
    """`refusal` as the finish reason needs no words."""
    assert _reason(example(user("a"), says("No."), finish_reason="refusal")) is not None


def test_who_calls_a_tool_does_not_refuse() -> None:
    """Words beside a call are none."""
    assert _reason(example(user("a"), calls("run", text="I can't help with that."))) is None


def test_earlier_refusals_count_only_when_asked() -> None:
    """`answer` looks at the end, `all` at every answer; what people write never counts."""
    earlier = example(user("a"), says("I can't help with that."), user("b"), says("Fine."))
    assert _reason(earlier) is None
    assert _reason(earlier, scope=ALL) is not None
    assert _reason(example(user("I can't help with that."), says("Oh.")), scope=ALL) is None


def test_nothing_is_looked_for_unless_wanted() -> None:
    """By default refusals stay."""
    assert refusals.make(refusals.Settings()) is None


@pytest.mark.parametrize("piece", ["sorry ", "i can't ", "a", "ich kann ", "as an ai ", " ", "不"])
def test_hostile_text_is_read_to_its_end(piece: str) -> None:
    """Each phrase is bounded: repeated beginnings of a refusal do not hold the build up for ever."""
    assert _reason(answer((piece * 3000)[:3000])) is None
