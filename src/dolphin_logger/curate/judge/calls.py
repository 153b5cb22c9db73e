"""Calls: the running proxy, asked for one answer over HTTP and to record nothing.

It knows the proxy's address and the form of chat completions. Invariants: what may pass by itself (a
limit, an overload, a broken connection) is tried again, with growing pauses; all else is told at once,
and what is wrong with one request alone is told apart from what is wrong with all.
"""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from dolphin_logger.errors import DatasetError

_PATH: Final = "/v1/chat/completions"
_ATTEMPTS: Final = 6
_SECONDS: Final = 660.0  # a little more than the proxy waits for a first byte by default
_LONGEST_PAUSE: Final = 60.0
_LONGEST_MESSAGE: Final = 300
_AGAIN: Final = frozenset([408, 409, 425, 429])
_OF_REQUEST: Final = frozenset(
    [400, 413, 422]
)  # too long a text, or one that a vendor's filter stops


class UnfitRequestError(DatasetError):
    """The model takes no such request; others it may."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy.

    Attributes:
        url: where it listens, such as http://127.0.0.1:5001.
        token: of its configuration, where it asks for one.
        pause: seconds before the second attempt; doubled for each that follows.
    """

    url: str
    token: str = field(default="", repr=False)
    pause: float = 2.0

    def ask(self, request: dict[str, Any]) -> str:
        """Give the text that a model answers.

        Raises:
            UnfitRequestError: the model does not take this request.
            DatasetError: no proxy answers, it refuses, or the model's provider does not recover.
        """
        body = orjson.dumps(request)
        for attempt in range(1, _ATTEMPTS + 1):
            status, again, answer = self._post(body)
            if status == http.client.OK:
                return _text(answer)
            if status in _OF_REQUEST:
                raise UnfitRequestError(f"the proxy answered {status}: {_message(answer)}")
            if status is not None and status not in _AGAIN and status < 500:
                raise DatasetError(f"judge: the proxy answered {status}: {_message(answer)}")
            if attempt < _ATTEMPTS:
                time.sleep(min(_LONGEST_PAUSE, max(again, self.pause * 2 ** (attempt - 1))))
        told = "broke off" if status is None else f"answered {status}: {_message(answer)}"
        raise DatasetError(
            f"judge: {request['model']} {told}, {_ATTEMPTS} times; what was judged is kept: run it again"
        )

    def _post(self, body: bytes) -> tuple[int | None, float, bytes]:
        """Ask once; give status, seconds to wait and body, or no status when the connection broke."""
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(
            address.hostname or "127.0.0.1", address.port or 80, timeout=_SECONDS
        )
        try:
            try:
                connection.connect()
            except OSError as fault:
                raise DatasetError(
                    f"judge: no proxy answers at {self.url} ({fault.strerror or fault}); start one with"
                    " `dolphin-logger`, for the judge is asked through it"
                ) from None
            connection.request("POST", _PATH, body, self._headers())
            response = connection.getresponse()
            again = response.headers.get("retry-after", "")
            return response.status, float(again) if again.isdecimal() else 0.0, response.read()
        except (OSError, http.client.HTTPException):
            return None, 0.0, b""
        finally:
            connection.close()

    def _headers(self) -> dict[str, str]:
        token = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return {
            "content-type": "application/json",
            "user-agent": "dolphin-logger-judge",
            "x-no-log": "true",
            **token,
        }


def _text(answer: bytes) -> str:
    try:
        content = orjson.loads(answer)["choices"][0]["message"].get("content")
    except (ValueError, LookupError, TypeError, AttributeError):
        raise DatasetError(
            f"judge: no chat completion but {answer[:_LONGEST_MESSAGE]!r}; is that a proxy's address?"
        ) from None
    return content if isinstance(content, str) else ""


def _message(answer: bytes) -> str:
    try:
        return str(orjson.loads(answer)["error"]["message"])[:_LONGEST_MESSAGE]
    except (ValueError, LookupError, TypeError):
        return answer.decode(errors="replace")[:_LONGEST_MESSAGE]
