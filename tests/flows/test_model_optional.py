"""Requests that need no model, because the vendor has a default: they go to whom they can mean."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.provider import FakeProvider, answer
from tests.support.proxy import Proxy, one_model

JSON = {"content-type": "application/json"}
CALLS = {
    "/v1/responses": b'{"input":"hi"}',
    "/v1/images/generations": b'{"prompt":"a dolphin"}',
}


@pytest.mark.parametrize("path", list(CALLS))
def test_request_without_a_model_goes_to_the_only_entry(
    provider: FakeProvider, proxy: Proxy, path: str
) -> None:
    """With one entry there is nothing to guess: the body passes as it came."""
    provider.script = answer(b'{"id":"resp_1","object":"response","output":[]}')
    assert proxy.request("POST", path, CALLS[path], JSON).status == 200

    assert provider.requests[0].body == CALLS[path]
    record = proxy.record()
    assert (record["model"], record["provider_model"], record["provider"]) == (None, None, "openai")


def test_request_without_a_model_is_refused_when_two_entries_can_be_meant(
    provider: FakeProvider, start_proxy: Callable[..., Proxy]
) -> None:
    """No key is chosen by guess: 400, with the cure."""
    config = one_model(provider.base)
    config["models"].append({**config["models"][0], "model": "other"})
    answered = start_proxy(config).request("POST", "/v1/responses", b'{"input":"hi"}', JSON)

    assert answered.status == 400
    assert "/p/<model>/" in answered.json()["error"]["message"]
    assert provider.requests == []


def test_form_without_a_model_goes_to_the_only_entry(provider: FakeProvider, proxy: Proxy) -> None:
    """Image edits have a default model too, and come as forms."""
    provider.script = answer(b'{"created":1,"data":[]}')
    form = b'--b\r\ncontent-disposition: form-data; name="prompt"\r\n\r\na dolphin\r\n--b--\r\n'
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert proxy.request("POST", "/v1/images/edits", form, headers).status == 200

    assert provider.requests[0].body == form
    assert proxy.record()["dialect"] == "openai.images"
