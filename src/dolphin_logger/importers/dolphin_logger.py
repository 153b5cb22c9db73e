"""The original dolphin-logger: folders of JSONL files with `{"request", "response"}` on each line.

Every request holds its whole history, so no turn follows another. The time of a line is that of its
file. It knows no other version of the record: those are read where they lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dolphin_logger.importers._api import Content, Item, Turn, Unknown
from dolphin_logger.importers._fields import as_object, read_lines, text_of
from dolphin_logger.importers._shapes import completion


class DolphinLogger:
    """Reads folders that the original wrote elsewhere; those of our own home are read in place."""

    name = "dolphin-logger"
    automatic = False

    def find(self, user: Path, env: Mapping[str, str]) -> Iterator[Path]:
        """Name nothing: the original's own folder is our home, which is read in place."""
        yield from ()

    def claims(self, head: bytes, name: str) -> bool:
        """Tell a file by its first line: nothing but a request and its response."""
        first = head.lstrip()[:4096].replace(b" ", b"")
        return name.endswith(".jsonl") and first.startswith((b'{"request":{', b'{"response":'))

    def read(self, content: Content) -> Iterator[Item]:
        """Decode one file."""
        for line in read_lines(content):
            if isinstance(line, Unknown):
                yield line
                continue
            request = line.fields.get("request")
            if not isinstance(request, dict):
                yield Unknown("no request")
                continue
            model = text_of(request, "model")
            yield Turn(
                session=content.path.name,
                line=str(line.offset),
                after=None,
                dialect="openai.chat",
                request=request,
                response=_as_completion(line.fields.get("response"), model),
                model=model,
            )


def _as_completion(response: Any, model: str | None) -> dict[str, Any] | None:
    """Put bare text where a chat completion has it; an object stays as it is."""
    if not isinstance(response, str):
        return as_object(response) or None
    return completion({"role": "assistant", "content": response}, model=model)
