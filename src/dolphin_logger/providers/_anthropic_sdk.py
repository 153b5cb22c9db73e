"""The official Anthropic SDK as the sender of requests that we author. Imported on first use.

The SDK builds and sends the request; its transport is handed in, so that connections, deadlines and
errors are the relay's own. It does not retry and does not parse the stream: bytes come back raw.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NoReturn

import anthropic
import httpx2

from dolphin_logger.errors import ProviderError
from dolphin_logger.providers._api import Fields, LocalAnswer, Send, Target

_NOT_OURS = frozenset(
    ("host", "authorization", "x-api-key", "content-length", "connection", "accept-encoding")
)


async def create(target: Target, body: dict[str, Any], *, send: Send) -> LocalAnswer:
    """Send a Messages request and return its answer, whatever its status.

    Raises:
        ProviderError: from `send`, unchanged.
    """
    transport = _Transport(target, send)
    client = anthropic.AsyncAnthropic(
        api_key="unused: the transport sets the key",
        base_url="http://provider.invalid",
        max_retries=0,
        timeout=None,
        http_client=httpx2.AsyncClient(transport=transport, timeout=None),
    )
    version = dict(target.defaults).get(b"anthropic-version", b"").decode()
    manager = client.messages.with_streaming_response.create(
        model=body["model"],
        max_tokens=body["max_tokens"],
        messages=body["messages"],
        stream=True,
        extra_body=body,
        extra_headers={"anthropic-version": version},
    )
    try:
        response = await manager.__aenter__()
    except anthropic.APIStatusError as error:
        return LocalAnswer(error.status_code, transport.fields, _once(error.response.content))
    except anthropic.APIConnectionError as error:
        _raise_cause(error)

    async def chunks() -> AsyncIterator[bytes]:
        try:
            async for chunk in response.iter_bytes():
                yield chunk
        except (httpx2.HTTPError, anthropic.APIConnectionError) as error:
            _raise_cause(error)
        finally:
            await manager.__aexit__(None, None, None)

    return LocalAnswer(response.status_code, transport.fields, chunks())


class _Transport(httpx2.AsyncBaseTransport):
    """Sends through the relay; keeps the answer's header fields as they came."""

    def __init__(self, target: Target, send: Send) -> None:
        self.fields: Fields = ()
        self._target = target
        self._send = send

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = tuple(
            (name.lower(), value)
            for name, value in request.headers.raw
            if name.lower().decode("latin-1") not in _NOT_OURS
        )
        target = Target(self._target.url, secrets=self._target.secrets, headers=headers)
        answer = await self._send(target, await request.aread())
        self.fields = answer.headers
        return httpx2.Response(
            answer.status, headers=list(answer.headers), stream=_Stream(answer.chunks)
        )


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            yield chunk


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _raise_cause(error: BaseException) -> NoReturn:
    """Give back the relay's own error, which the SDK has wrapped."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ProviderError):
            raise cause
        cause = cause.__cause__ or cause.__context__
    raise ProviderError(
        f"the Anthropic client failed: {error}", status=502, kind="protocol"
    ) from error
