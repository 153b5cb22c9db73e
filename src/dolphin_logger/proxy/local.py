"""An answer made in this process, shaped like one from a provider.

It turns a LocalAnswer's chunks into the callbacks of a Receiver, with the same back-pressure.
"""

from __future__ import annotations

import asyncio
import logging

from dolphin_logger.errors import ProviderError
from dolphin_logger.providers._api import LocalAnswer
from dolphin_logger.proxy.upstream import Receiver

_log = logging.getLogger(__name__)


class LocalSource:
    """Runs one local answer as a task."""

    def __init__(self, answer: LocalAnswer, receiver: Receiver) -> None:
        self._answer = answer
        self._receiver: Receiver | None = receiver
        self._may_produce = asyncio.Event()
        self._may_produce.set()
        self._task = asyncio.get_running_loop().create_task(self._produce())

    def pause(self) -> None:
        """Stop producing until `resume`."""
        self._may_produce.clear()

    def resume(self) -> None:
        """Go on producing."""
        self._may_produce.set()

    def abort(self) -> None:
        """Drop the answer."""
        self._receiver = None
        self._task.cancel()

    async def _produce(self) -> None:
        answer = self._answer
        try:
            self._call_answered(answer)
            async for chunk in answer.chunks:
                await self._may_produce.wait()
                if self._receiver is None:
                    return
                self._receiver.received([chunk], last=False)
        except Exception:  # noqa: BLE001 - the edge of a plug-in: whatever it raises is the provider's failure
            _log.exception("the built-in provider failed")
            if self._receiver is not None:
                self._receiver.failed(
                    ProviderError("the built-in provider failed", status=502, kind="local")
                )
            return
        if self._receiver is not None:
            receiver, self._receiver = self._receiver, None
            receiver.received([], last=True)
            receiver.ended()

    def _call_answered(self, answer: LocalAnswer) -> None:
        if self._receiver is not None:
            self._receiver.answered(answer.status, list(answer.headers), None)
            self._receiver.received([], last=False)
