"""Whole conversations for vision-language models: TRL's form, pictures in a column of their own.

TRL fills `{"type": "image"}` parts from the column `images` in order, does not look into results of
tools, and puts all pictures in front of a user's content that is a string: so users' content is always
a list here. It does not know files. Invariant: as many pictures in the column as parts without one.

Source: https://huggingface.co/docs/trl/dataset_formats, https://huggingface.co/docs/datasets/image_load
(`cast_column("images", List(Image()))` opens addresses, and paths that are valid where it runs).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dolphin_logger.example import Chat, Example, Json, Piece, Unit
from dolphin_logger.exporters._api import Column, Options, Row, Together, UnfitError
from dolphin_logger.exporters._chats import halves


class Vision(Together):
    """`{"images", "messages", "tools", "metadata"}`."""

    name = "vision"
    unit = Unit.LEAF
    columns: Sequence[Column] = (
        Column("images", "list<string>"),
        Column("messages", "list<json>"),
        Column("tools", "list<json>"),
        Column("metadata", "json"),
    )

    def rows(self, piece: Piece, options: Options) -> Iterator[Row]:
        """Write a conversation as one row; `images` is empty where it has no pictures."""
        assert isinstance(piece, Example)
        prompt, answer = halves(piece, options)
        images: list[str] = []
        messages = [_emptied(chat, images) for chat in prompt + answer]
        yield {
            "images": images,
            "messages": messages,
            "tools": piece.tools,
            "metadata": piece.metadata,
        }


def _emptied(chat: Chat, images: list[str]) -> Chat:
    """Give a chat whose pictures are moved into the list."""
    content = chat["content"]
    if isinstance(content, str):
        is_asked = chat["role"] == "user"
        return {**chat, "content": [{"type": "text", "text": content}]} if is_asked else chat
    return {**chat, "content": [_part(part, chat["role"], images) for part in content]}


def _part(part: Json, role: str, images: list[str]) -> Json:
    if part["type"] != "image":
        return part
    if role == "tool":
        raise UnfitError("has a picture in a result of a tool")
    if part["image"].startswith("data:"):
        raise UnfitError('has a picture that is no file (try images = "reference")')
    images.append(part["image"])
    return {"type": "image"}
