"""Every translated answer against OpenAI's OpenAPI document: each streamed event, and the whole answer.

The document is large and not ours, so it is not part of this project: its path is the first argument.
The streams are those of `benchmarks/decode.py` and, with WIRE_SAMPLES, every recording of a provider
that we translate.

    python -m tests.schema.check openapi.json
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.proxy.translate import TRANSLATIONS

FOLDERS = {
    "openai.chat": "openai_chat",
    "anthropic.messages": "anthropic_messages",
    "gemini": "gemini",
}
SCHEMAS = {  # of the client's language: one event of a stream, and the whole answer
    "openai.chat": ("CreateChatCompletionStreamResponse", "CreateChatCompletionResponse"),
    "openai.responses": ("ResponseStreamEvent", "Response"),
}
ASKED = {"stream": True, "stream_options": {"include_usage": True}, "model": "m", "input": "hi"}


def nullable(value: Any) -> Any:
    """Rewrite OpenAPI 3.0's `nullable`, which the document still uses, as JSON Schema says it."""
    if isinstance(value, list):
        return [nullable(item) for item in value]
    if not isinstance(value, dict):
        return value
    fields = {key: nullable(item) for key, item in value.items() if key != "nullable"}
    if value.get("nullable") is True:
        return {"anyOf": [fields, {"type": "null"}]}
    return fields


def validator(document: dict[str, Any], name: str) -> Draft202012Validator:
    """Build the validator of one schema of the document."""
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    )


def streams(dialect: str) -> Iterator[tuple[str, bytes]]:
    """Give recorded streams of a provider's language."""
    root = os.environ.get("WIRE_SAMPLES")
    for path in sorted(Path(root, FOLDERS[dialect]).glob("*.sse")) if root else ():
        data = path.read_bytes()
        if data.lstrip()[:5] in (b"event", b"data:", b"{", b": OPE"):
            yield path.stem, data


def events_of(data: bytes) -> list[dict[str, Any]]:
    """Read the JSON events of a client's stream."""
    lines = [line[6:] for line in data.split(b"\n") if line.startswith(b"data: {")]
    return [json.loads(line) for line in lines]


def faults_of(check: Draft202012Validator, value: Any) -> list[str]:
    """List what the document says is wrong."""
    faults = []
    for error in check.iter_errors(value):
        deepest = max(error.context or [error], key=lambda found: len(found.absolute_path))
        place = "/".join("[]" if isinstance(p, int) else str(p) for p in deepest.absolute_path)
        faults.append(f"{place}: {deepest.message[:160]}")
    return faults


def main(path: str) -> int:
    """Check; return 1 when anything is wrong or nothing was checked."""
    document = nullable(json.loads(Path(path).read_bytes()))
    found: Counter[str] = Counter()
    checked: Counter[str] = Counter()
    for (client, provider), translation in TRANSLATIONS.items():
        if client not in SCHEMAS:
            continue
        event_check, whole_check = (validator(document, name) for name in SCHEMAS[client])
        for _, data in streams(provider):
            stream = translation.stream(ASKED, created=1)
            sent = b"".join(stream.feed(data) + stream.finish())
            pair = f"{client} <- {provider}"
            if stream.failed or not stream.finished:
                checked[f"{pair}: broken streams"] += 1
                continue
            for event in events_of(sent):
                checked[f"{pair}: events"] += 1
                found.update(f"{pair}: event {fault}" for fault in faults_of(event_check, event))
            decoder = DIALECTS[provider].decoder("text/event-stream", asked=True)
            assert decoder is not None
            decoder.feed(data)
            native = decoder.answer().response
            assert native is not None
            answer = translation.answer(native, created=1)
            checked[f"{pair}: answers"] += 1
            found.update(f"{pair}: answer {fault}" for fault in faults_of(whole_check, answer))
    for name, count in checked.items():
        print(f"{count:6} {name}")
    for fault, count in found.most_common():
        print(f"{count:6} x {fault}")
    return 1 if found or not checked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
