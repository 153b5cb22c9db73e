"""The blocks of a message: text, images, documents, results of tools.

It knows the shapes of blocks in both languages, and not which message they are in. URLs are passed on
and never fetched. Invariant: a block becomes parts that say the same, or the request is refused.

Source: https://platform.claude.com/docs/en/api/messages (content blocks).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate.losses import Losses, refusal
from dolphin_logger.proxy.translate.parts import (
    Given,
    Part,
    drop_others,
    find_way,
    read_fields,
    read_parts,
    read_string,
    text_part,
)

_Translate = Callable[[Given, str, Losses], list[Part]]

_ON_BLOCKS: Final = "messages[].content[]."
_NAMELESS: Final = "document.pdf"  # a file without a name is refused


def translate_block(block: Given, kind: Any, at: str, *, losses: Losses) -> list[Part]:
    """Translate what a user or a tool says."""
    return find_way(_BLOCKS, kind, at=at, to="this provider")(block, at, losses)


def read_text(block: Given, at: str, *, losses: Losses, inside: str = _ON_BLOCKS) -> str:
    """Read the text of a block; what else stands on it is dropped."""
    drop_others(block, ("text",), losses=losses, inside=inside)
    return read_string(block, "text", at=at)


def drop_beside(block: Given, known: tuple[str, ...], *, losses: Losses) -> None:
    """Name what stands on a block beside what is known."""
    drop_others(block, known, losses=losses, inside=_ON_BLOCKS)


def _text(block: Given, at: str, losses: Losses) -> list[Part]:
    return [text_part(read_text(block, at, losses=losses))]


def _image(block: Given, at: str, losses: Losses) -> list[Part]:
    drop_beside(block, ("source",), losses=losses)
    return [
        {
            "type": "image_url",
            "image_url": {"url": _url(read_fields(block, "source", at=at), f"{at}.source")},
        }
    ]


def _document(block: Given, at: str, losses: Losses) -> list[Part]:
    source, at = read_fields(block, "source", at=at), f"{at}.source"
    kind = source.get("type")
    citations = block.get("citations")
    if not isinstance(citations, dict) or citations.get("enabled"):
        drop_beside(block, ("source", "title"), losses=losses)
    else:
        drop_beside(block, ("source", "title", "citations"), losses=losses)
    title = block.get("title")
    if kind in ("base64", "url"):
        name = title if isinstance(title, str) and title else _NAMELESS
        return [{"type": "file", "file": {"filename": name, "file_data": _url(source, at)}}]
    if title:
        losses.drop("messages[].content[].title")
    if kind == "text":
        return [text_part(read_string(source, "data", at=at))]
    if kind == "content":
        return _parts(source.get("content"), f"{at}.content", losses)
    raise _unknown_source(source, at)


def _search_result(block: Given, at: str, losses: Losses) -> list[Part]:
    drop_beside(block, ("content", "citations"), losses=losses)
    return _parts(block.get("content"), f"{at}.content", losses)


def _tool_reference(block: Given, at: str, losses: Losses) -> list[Part]:
    """Give the name of a tool that a search has found; its schema was sent at once."""
    drop_beside(block, ("tool_name",), losses=losses)
    losses.change("messages[].content[].content[] (tool_reference as text)")
    return [text_part(read_string(block, "tool_name", at=at))]


def _parts(content: Any, at: str, losses: Losses) -> list[Part]:
    return [
        part
        for block, kind, place in read_parts(content, at=at)
        for part in translate_block(block, kind, place, losses=losses)
    ]


def _url(source: Given, at: str) -> str:
    if source.get("type") == "url":
        return read_string(source, "url", at=at)
    if source.get("type") == "base64":
        return f"data:{read_string(source, 'media_type', at=at)};base64,{read_string(source, 'data', at=at)}"
    raise _unknown_source(source, at)


def _unknown_source(source: Given, at: str) -> Exception:
    return refusal(
        f"{at}: {source.get('type')!r} cannot be sent to this provider; send the content itself",
        param=at,
    )


_BLOCKS: Final[Mapping[str, _Translate]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "tool_reference": _tool_reference,
}
