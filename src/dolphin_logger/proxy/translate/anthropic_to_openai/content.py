"""The blocks of a message: text, images, documents, results of tools.

It knows the shapes of blocks in both languages, and not which message they are in. URLs are passed on
and never fetched. Invariant: a block becomes parts that say the same, or the request is refused.

Source: https://platform.claude.com/docs/en/api/messages (content blocks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate.losses import Losses, refusal

Part = dict[str, Any]
Block = Mapping[str, Any]
_Translate = Callable[[Block, str, Losses], list[Part]]

_BETWEEN: Final = "\n\n"  # texts that stand side by side
_ON_BLOCKS: Final = "messages[].content[]."
_NAMELESS: Final = "document.pdf"  # a file without a name is refused


def read_blocks(content: Any, at: str) -> Iterator[tuple[Block, Any, str]]:
    """Go through a content: each block with its type and its place; text alone is a block, too."""
    if isinstance(content, str):
        content = [text_part(content)] if content else []
    if not isinstance(content, list):
        raise refusal(f"{at} must be a string or an array of blocks", param=at)
    for number, block in enumerate(content):
        place = f"{at}[{number}]"
        if not isinstance(block, dict):
            raise refusal(f"{place} must be an object", param=place)
        yield block, block.get("type"), place


def translate_block(block: Block, kind: Any, at: str, *, losses: Losses) -> list[Part]:
    """Translate what a user or a tool says."""
    translate = _BLOCKS.get(kind) if isinstance(kind, str) else None
    if translate is None:
        known = ", ".join(_BLOCKS)
        raise refusal(
            f"{at}: a block of type {kind!r} cannot be sent to this provider here; possible: {known}",
            param=at,
        )
    return translate(block, at, losses)


def read_text(block: Block, at: str, *, losses: Losses, inside: str = _ON_BLOCKS) -> str:
    """Read the text of a block; what else stands on it is dropped."""
    drop_others(block, ("text",), losses=losses, inside=inside)
    return _string(block, "text", at)


def drop_others(
    block: Block, known: tuple[str, ...], *, losses: Losses, inside: str = _ON_BLOCKS
) -> None:
    """Note what stands on a block beside what is known."""
    for key, value in block.items():
        if key not in known and key != "type" and value:
            losses.drop(f"{inside}{key}")


def text_part(text: str) -> Part:
    """Build a part of text."""
    return {"type": "text", "text": text}


def join_texts(texts: list[str]) -> str:
    """Join texts that stand side by side."""
    return _BETWEEN.join(text for text in texts if text)


def simplify(parts: list[Part]) -> str | list[Part]:
    """Write parts as one string where they are all text: there are servers that read nothing else."""
    if all(part["type"] == "text" for part in parts):
        return join_texts([part["text"] for part in parts])
    return [part for part in parts if part["type"] != "text" or part["text"]]


def _string(block: Block, key: str, at: str) -> str:
    value = block.get(key)
    if not isinstance(value, str):
        raise refusal(f"{at}.{key} must be a string", param=f"{at}.{key}")
    return value


def _source(block: Block, at: str) -> Block:
    source = block.get("source")
    if not isinstance(source, dict):
        raise refusal(f"{at}.source must be an object", param=f"{at}.source")
    return source


def _text(block: Block, at: str, losses: Losses) -> list[Part]:
    return [text_part(read_text(block, at, losses=losses))]


def _image(block: Block, at: str, losses: Losses) -> list[Part]:
    drop_others(block, ("source",), losses=losses)
    return [{"type": "image_url", "image_url": {"url": _url(_source(block, at), f"{at}.source")}}]


def _document(block: Block, at: str, losses: Losses) -> list[Part]:
    source, at = _source(block, at), f"{at}.source"
    kind = source.get("type")
    citations = block.get("citations")
    if not isinstance(citations, dict) or citations.get("enabled"):
        drop_others(block, ("source", "title"), losses=losses)
    else:
        drop_others(block, ("source", "title", "citations"), losses=losses)
    title = block.get("title")
    if kind in ("base64", "url"):
        name = title if isinstance(title, str) and title else _NAMELESS
        return [{"type": "file", "file": {"filename": name, "file_data": _url(source, at)}}]
    if title:
        losses.drop("messages[].content[].title")
    if kind == "text":
        return [text_part(_string(source, "data", at))]
    if kind == "content":
        return _parts(source.get("content"), f"{at}.content", losses)
    raise _unknown_source(source, at)


def _search_result(block: Block, at: str, losses: Losses) -> list[Part]:
    drop_others(block, ("content", "citations"), losses=losses)
    return _parts(block.get("content"), f"{at}.content", losses)


def _tool_reference(block: Block, at: str, losses: Losses) -> list[Part]:
    """Give the name of a tool that a search has found; its schema was sent at once."""
    drop_others(block, ("tool_name",), losses=losses)
    losses.change("messages[].content[].content[] (tool_reference as text)")
    return [text_part(_string(block, "tool_name", at))]


def _parts(content: Any, at: str, losses: Losses) -> list[Part]:
    return [
        part
        for block, kind, place in read_blocks(content, at)
        for part in translate_block(block, kind, place, losses=losses)
    ]


def _url(source: Block, at: str) -> str:
    if source.get("type") == "url":
        return _string(source, "url", at)
    if source.get("type") == "base64":
        return f"data:{_string(source, 'media_type', at)};base64,{_string(source, 'data', at)}"
    raise _unknown_source(source, at)


def _unknown_source(source: Block, at: str) -> Exception:
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
