"""The dialects that decode no stream: `openai.embeddings`, and those that know nothing."""

from __future__ import annotations

import json

import pytest

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.dialects.opaque import Opaque
from dolphin_logger.dialects.openai_embeddings import OpenAIEmbeddings
from dolphin_logger.messages import Usage


@pytest.mark.parametrize("name", ["openai.audio", "openai.images", "openai.files", "opaque"])
def test_opaque_claims_nothing(name):
    """Whatever comes, nothing is read from it; a stream is none that could be decoded."""
    dialect = DIALECTS[name]
    assert isinstance(dialect, Opaque)
    assert dialect.name == name
    for media_type in ("text/event-stream", "audio/mpeg", "application/json", ""):
        assert dialect.decoder(media_type, asked=True) is None
    assert not dialect.may_finish(b"data: [DONE]\n\n")
    assert dialect.usage({"usage": {"input_tokens": 1, "prompt_tokens": 1}}) == Usage()
    request = {"input": "x", "prompt": "x", "messages": [{"role": "user", "content": "x"}]}
    assert dialect.first_user_text(request) is None
    assert dialect.asks_stream({"stream": True})
    assert not dialect.asks_stream(request)


def test_errors_are_openais():
    """Errors have OpenAI's shape, alone and in a stream."""
    body = Opaque("opaque").error_body("no", status=429, param=None, code=None)
    error = {"message": "no", "type": "rate_limit_error", "param": None, "code": None}
    assert json.loads(body) == {"error": error}
    event = Opaque("opaque").error_event("no", status=429, code=None)
    assert event == b"data: " + body + b"\n\n"


@pytest.mark.parametrize(("given", "text"), [("x", "x"), (["x"], None), ([1], None), (None, None)])
def test_embeddings_input(given, text):
    """An input that is one text is the first user text."""
    assert OpenAIEmbeddings().first_user_text({"input": given}) == text


def test_embeddings_usage():
    """There is one count; a total that says the same is not another."""
    usage = {"prompt_tokens": 5, "total_tokens": 6}
    assert OpenAIEmbeddings().usage({"usage": usage}) == Usage(input_tokens=5)
    assert OpenAIEmbeddings().usage({"usage": {"prompt_tokens": "5"}}) == Usage()
    assert OpenAIEmbeddings().decoder("text/event-stream", asked=True) is None
