"""What does it cost to translate one streamed event?

First the translation alone: each pair gets a synthetic stream of its provider, one event per chunk,
beside `json.loads` of the same events and the provider's own decoder. Then the whole proxy: a stream of
a fake provider, once raw and once translated, user and system time of the proxy's process per event,
recording on. Prints figures, asserts none.

    PYTHONPATH=src python benchmarks/translate.py
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from decode import STREAMS, decode, microseconds
from tests.support.provider import FakeProvider, Received, Wire
from tests.support.proxy import Proxy

from dolphin_logger.proxy.translate import TRANSLATIONS

ASKED = {"stream": True, "stream_options": {"include_usage": True}}
ROUNDS = 5
PATHS = {
    "openai.chat": "/v1/chat/completions",
    "anthropic.messages": "/v1/messages",
    "openai.responses": "/v1/responses",
    "gemini": "/v1beta/models/m:streamGenerateContent?alt=sse",
}
HI = [{"role": "user", "content": "hi"}]
BODIES = {
    "openai.chat": {"model": "m", "stream": True, "messages": HI},
    "anthropic.messages": {"model": "m", "stream": True, "messages": HI, "max_tokens": 9},
    "openai.responses": {"model": "m", "stream": True, "input": "hi"},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
}
PROVIDERS = {"openai.chat": "openai", "anthropic.messages": "anthropic", "gemini": "google"}


def translate(pair: tuple[str, str], chunks: list[bytes]) -> None:
    stream = TRANSLATIONS[pair].stream(ASKED, created=1)
    for chunk in chunks:
        stream.feed(chunk)
    stream.finish()
    if not stream.finished or stream.failed:
        raise SystemExit(f"{pair}: the stream was not translated ({stream.error})")


def measure_alone() -> None:
    print("translation alone, best of seven, us/event")
    for pair in TRANSLATIONS:
        streams = STREAMS[pair[1]]()
        for name in ("text", "tool arguments"):
            if pair[1] == "gemini" and name == "tool arguments":
                continue  # Gemini sends calls whole
            chunks = streams[name]
            payloads = [chunk[chunk.index(b"{") :] for chunk in chunks if b"{" in chunk]
            plain = microseconds(lambda: [json.loads(p) for p in payloads], events=len(payloads))  # noqa: B023
            decoded = microseconds(lambda: decode(pair[1], chunks), events=len(chunks))  # noqa: B023
            cost = microseconds(lambda: translate(pair, chunks), events=len(chunks))  # noqa: B023
            print(
                f"  {pair[0]} <- {pair[1]}, {name}: {cost:.2f}"
                f" ({cost / plain:.1f} x json.loads, {cost / decoded:.1f} x the decoder)"
            )


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def call(proxy: Proxy, client: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
    body = json.dumps(BODIES[client])
    connection.request("POST", PATHS[client], body, {"content-type": "application/json"})
    answer = connection.getresponse()
    size = len(answer.read())
    if answer.status != 200:
        raise SystemExit(f"{client}: status {answer.status}")
    connection.close()
    return size


def measure_proxy() -> None:
    print("\nthrough the proxy, recording, CPU us/event (raw beside it in the same run)")
    for pair in TRANSLATIONS:
        chunks = STREAMS[pair[1]]()["text"]

        async def script(request: Received, wire: Wire) -> None:
            await wire.head(200, [("content-type", "text/event-stream")])
            for chunk in chunks:  # noqa: B023
                await wire.chunk(chunk)
            await wire.end()

        with FakeProvider(script) as provider, tempfile.TemporaryDirectory() as home:
            entry = {
                "provider": PROVIDERS[pair[1]],
                "model": "m",
                "apiBase": provider.base,
                "dialect": pair[1],
            }
            with Proxy(Path(home), {"models": [entry]}).start() as proxy:
                figures = {}
                for kind, client in (("raw", pair[1]), ("translated", pair[0])):
                    call(proxy, client)
                    before = cpu_of(proxy.pid)
                    for _ in range(ROUNDS):
                        call(proxy, client)
                    figures[kind] = (cpu_of(proxy.pid) - before) / ROUNDS / len(chunks) * 1e6
                proxy.stop()
        raw, translated = figures["raw"], figures["translated"]
        print(
            f"  {pair[0]} <- {pair[1]}: translated {translated:.1f}, raw {raw:.1f}:"
            f" {translated / raw:.1f} x, {translated - raw:+.1f} us"
        )


if __name__ == "__main__":
    measure_alone()
    measure_proxy()
