"""Who may talk to the proxy: every combination of what a page, a rebound name or a neighbour can send."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from dolphin_logger.proxy import connection
from dolphin_logger.proxy.connection import ClientConnection
from dolphin_logger.proxy.request import Request
from dolphin_logger.proxy.responder import Responder
from tests.support.provider import FakeProvider, answer, chat_answer
from tests.support.proxy import Proxy, one_model, wait_for
from tests.support.traffic import read_to_end

LISTED = "https://chat.example"
TOKEN = "t0ken-of-this-house"
CHAT = orjson.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
CHAT_PATH = "/v1/chat/completions"


def _good_hosts(port: int) -> list[list[str]]:
    return [[f"127.0.0.1:{port}"], [f"LOCALHOST:{port}"], [f"[::1]:{port}"]]


def _bad_hosts(port: int) -> list[list[str]]:
    good = f"127.0.0.1:{port}"
    return [
        [],
        [good, good],
        [good, "evil.test"],
        [""],
        ["a/health?x"],
        [f"localhost.:{port}"],
        [f"127.0.0.1:{port + 1}"],
        [f"127.0.0.1:0{port}"],
        ["127.0.0.1"],
        [f"0.0.0.0:{port}"],
        [f"127.0.0.2:{port}"],
        [f"[::ffff:127.0.0.1]:{port}"],
        [f"user@127.0.0.1:{port}"],
        [f"{good}, evil.test"],
        [f"evil.test:{port}"],
        [f"{good}.evil.test"],
    ]


ORIGINS = (
    None,
    "null",
    "https://evil.test",
    "http://127.0.0.1:1",
    "own",
    LISTED,
    LISTED + ".evil.test",
)
SITES = (None, "none", "same-origin", "same-site", "cross-site", "Cross-Site")
REQUESTS = (
    ("GET", "/health", None),
    ("HEAD", "/v1/models", None),
    ("POST", CHAT_PATH, "application/json"),
    ("POST", CHAT_PATH, "text/plain"),
    ("POST", CHAT_PATH, None),
    ("OPTIONS", CHAT_PATH, None),
    ("DELETE", "/health", None),
)


@dataclass
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


def _ask(
    port: int,
    method: str,
    path: str,
    fields: list[tuple[str, str]],
    body: bytes = b"",
    *,
    host: str = "127.0.0.1",
) -> Reply:
    """Send exactly these header fields and read the whole answer."""
    lines = [
        f"{method} {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in fields),
        "connection: close",
    ]
    if body:
        lines.append(f"content-length: {len(body)}")
    with socket.create_connection((host, port), timeout=20) as sock:
        sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        data = read_to_end(sock)
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *others = head.decode("latin-1").split("\r\n")
    pairs = [
        (name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in others)
    ]
    return Reply(int(first.split(" ")[1]), pairs, rest)


@pytest.mark.parametrize("site", SITES)
def test_nothing_foreign_reads_or_changes_anything(
    provider: FakeProvider, start_proxy: Callable[..., Proxy], site: str | None
) -> None:
    """Every combination of Host, Origin, Sec-Fetch-Site, method and type: only our own and listed pages pass."""
    provider.script = answer(chat_answer())
    proxy = start_proxy(one_model(provider.base, allowedOrigins=[LISTED]))
    port = proxy.port
    asked = refused_type = refused = 0
    cases = itertools.product([*_good_hosts(port), *_bad_hosts(port)], ORIGINS, REQUESTS)
    for hosts, given, (method, path, kind) in cases:
        origin = f"http://localhost:{port}" if given == "own" else given
        fields = [("host", value) for value in hosts]
        fields += [("origin", origin)] if origin else []
        fields += [("sec-fetch-site", site)] if site else []
        fields += [("content-type", kind)] if kind else []
        reply = _ask(port, method, path, fields, CHAT if method == "POST" else b"")
        case = (hosts, origin, site, method, path, kind, reply.status)

        bad_host = hosts not in _good_hosts(port)
        foreign = given not in (None, "own", LISTED) or (
            (site or "").lower() in ("cross-site", "same-site") and given != LISTED
        )
        if bad_host or foreign:
            expected = {421} if not foreign else {403} if not bad_host else {403, 421}
            assert reply.status in expected, case
            assert not reply.all("access-control-allow-origin"), case
            refused += 1
        else:
            expected_status = _expected(method, path, kind, listed=given == LISTED)
            assert reply.status == expected_status, case
            assert reply.all("access-control-allow-origin") in (
                [LISTED] if given == LISTED else [],
                [],
            ), case
            if given == LISTED and reply.status in (200, 204, 415):
                assert reply.all("access-control-allow-origin") == [LISTED], case
                assert reply.all("vary") == ["Origin"], case
            asked += expected_status == 200 and method == "POST"
            refused_type += expected_status == 415
        assert not reply.all("access-control-allow-private-network"), case
        assert not reply.all("access-control-allow-credentials"), case
    assert len(provider.requests) == asked
    assert len(proxy.records()) == asked + refused_type
    assert proxy.health()["refused"] == refused


def _expected(method: str, path: str, kind: str | None, *, listed: bool) -> int:
    if method == "OPTIONS":
        return 204 if listed else 405
    if method == "DELETE":
        return 405
    return 415 if kind == "text/plain" else 200


def test_a_listed_page_may_ask_with_its_fields(
    provider: FakeProvider, start_proxy: Callable[..., Proxy]
) -> None:
    """The preflight of a listed origin is allowed with the fields it names, for this origin alone."""
    proxy = start_proxy(one_model(provider.base, allowedOrigins=[LISTED]))
    fields = [
        ("host", f"127.0.0.1:{proxy.port}"),
        ("origin", LISTED),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,x-stainless-os"),
    ]
    reply = _ask(proxy.port, "OPTIONS", CHAT_PATH, fields)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.all("access-control-allow-origin") == [LISTED]
    assert reply.all("access-control-allow-headers") == ["content-type,x-stainless-os"]
    assert "POST" in reply.all("access-control-allow-methods")[0]
    assert "vary" in {name for name, _ in reply.headers}


def test_http_1_0_without_host_is_refused(proxy: Proxy) -> None:
    """HTTP/1.0, which needs no Host, gets nothing without one."""
    with proxy.connect() as sock:
        sock.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        assert read_to_end(sock).startswith(b"HTTP/1.1 421")


# --- beyond loopback


class _TokenProxy(Proxy):
    """One that answers its own health check with 401."""

    def _answers(self) -> bool:
        try:
            return self.request("GET", "/health").status == 401
        except OSError:
            return False


@pytest.fixture
def exposed(provider: FakeProvider, tmp_path: Path) -> Iterator[_TokenProxy]:
    """A proxy on every address of this machine, with a token."""
    provider.script = answer(chat_answer())
    config = one_model(provider.base, host="0.0.0.0", token=TOKEN, allowedOrigins=[LISTED])
    config["models"].append({**config["models"][0], "model": "pass", "apiKey": "PASSTHROUGH"})
    running = _TokenProxy(tmp_path / "home", config)
    with running:
        yield running


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_addresses_need_a_token(tmp_path: Path, host: str) -> None:
    """An address that other machines reach is not listened on without a token: exit 3, and the cure."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.json").write_text('{"models": []}')
    done = subprocess.run(
        [sys.executable, "-m", "dolphin_logger", "serve", "--host", host, "--port", "0"],
        env={**os.environ, "DOLPHIN_LOGGER_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 3
    assert "token" in done.stderr


def test_the_token_opens_and_nothing_else_does(
    provider: FakeProvider, exposed: _TokenProxy
) -> None:
    """Without the token every path is 401; with it, in any key slot, it serves."""
    host = ("host", f"127.0.0.1:{exposed.port}")
    for path in ("/health", "/v1/models", CHAT_PATH, "/nothing"):
        for wrong in (
            [],
            [("authorization", "Bearer wrong")],
            [("authorization", f"Bearer {TOKEN}x")],
            [("authorization", f"Bearer {TOKEN[:-1]}")],
            [("authorization", "Bearer ")],
            [("authorization", f"Basic {TOKEN}")],
            [("cookie", f"token={TOKEN}")],
            [("x-api-key", "\xff" * 100)],
        ):
            method = "POST" if path == CHAT_PATH else "GET"
            reply = _ask(
                exposed.port, method, path, [host, *wrong], CHAT if method == "POST" else b""
            )
            assert reply.status == 401, (path, wrong)
    assert provider.requests == []
    assert exposed.records() == []
    for slot in (
        ("authorization", f"Bearer {TOKEN}"),
        ("authorization", f"bearer {TOKEN}"),
        ("x-api-key", TOKEN),
        ("x-goog-api-key", TOKEN),
    ):
        assert _ask(exposed.port, "GET", "/health", [host, slot]).status == 200
        assert _ask(exposed.port, "POST", CHAT_PATH, [host, slot], CHAT).status == 200
    assert _ask(exposed.port, "GET", f"/health?key={TOKEN}", [host]).status == 401


def test_the_token_is_neither_forwarded_nor_recorded(
    provider: FakeProvider, exposed: _TokenProxy
) -> None:
    """Even to a model that passes the caller's key on, the token does not go; the caller's own key does."""
    fields = [
        ("host", f"127.0.0.1:{exposed.port}"),
        ("authorization", f"Bearer {TOKEN}"),
        ("x-api-key", "callers-own-key"),
    ]
    for model in (b'"m"', b'"pass"'):
        assert (
            _ask(exposed.port, "POST", CHAT_PATH, fields, CHAT.replace(b'"m"', model)).status == 200
        )
    configured, passed = provider.requests
    assert configured.header("authorization") == "Bearer sk-test-key"
    assert configured.header("x-api-key") is None
    assert passed.header("authorization") is None
    assert passed.header("x-api-key") == "callers-own-key"
    assert all(TOKEN not in str(request.headers) for request in provider.requests)
    exposed.records(2)
    exposed.stop()
    for path in exposed.home.rglob("*"):
        if path.is_file() and path.name != "config.json":
            assert TOKEN.encode() not in path.read_bytes(), path
            assert b"callers-own-key" not in path.read_bytes(), path


def test_a_preflight_carries_no_token(exposed: _TokenProxy) -> None:
    """Browsers ask first without credentials: a listed origin's preflight passes, its request needs the token."""
    fields = [("host", f"127.0.0.1:{exposed.port}"), ("origin", LISTED)]
    asking = [("access-control-request-method", "POST")]
    assert _ask(exposed.port, "OPTIONS", CHAT_PATH, [*fields, *asking]).status == 204
    assert _ask(exposed.port, "POST", CHAT_PATH, fields, CHAT).status == 401
    other = [fields[0], ("origin", "https://evil.test"), *asking]
    assert _ask(exposed.port, "OPTIONS", CHAT_PATH, other).status == 403
    assert _ask(exposed.port, "OPTIONS", CHAT_PATH, [fields[0], *asking]).status == 401


def test_another_name_needs_the_allow_list(exposed: _TokenProxy) -> None:
    """The token does not replace the Host rule: a name that is not listed is 421, listed it serves."""
    token = ("authorization", f"Bearer {TOKEN}")
    host = ("host", f"dolphin.example:{exposed.port}")
    assert _ask(exposed.port, "GET", "/health", [host, token]).status == 421
    config = orjson.loads((exposed.home / "config.json").read_bytes())
    exposed.configure({**config, "allowedHosts": ["dolphin.example"]})
    wait_for(lambda: _ask(exposed.port, "GET", "/health", [host, token]).status == 200)
    assert _ask(exposed.port, "GET", "/health", [host]).status == 401


# --- deadlines, on a real server in this process with short ones


class _Service:
    """Answers every request with 200."""

    def __init__(self) -> None:
        self.open: set[ClientConnection] = set()
        self.served: list[Request] = []
        self.hold: list[Responder] = []
        self.holds = False

    def opened(self, client: ClientConnection) -> None:
        self.open.add(client)

    def closed(self, client: ClientConnection) -> None:
        self.open.discard(client)

    def admit(self, request: Request) -> None:
        return None

    def body_limit(self, request: Request) -> int:
        return 1000

    def begin_upload(self, request: Request, responder: Responder) -> None:
        return None

    def serve(self, request: Request, responder: Responder) -> None:
        self.served.append(request)
        if self.holds:
            responder.start(200, [], length=None)
            self.hold.append(responder)
        else:
            responder.reply(200, b"ok")


@asynccontextmanager
async def _serving(service: _Service) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ClientConnection(service), "127.0.0.1", 0)

    async def clock() -> None:
        while True:
            await asyncio.sleep(0.01)
            for client in tuple(service.open):
                client.tick(loop.time())

    ticking = loop.create_task(clock())
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        ticking.cancel()
        for client in tuple(service.open):
            client.abort()
        server.close()
        await server.wait_closed()


@pytest.fixture
def short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of a second in the place of ten and of thirty."""
    for name in ("HEADER_SECONDS", "BODY_IDLE_SECONDS", "KEEP_ALIVE_SECONDS", "LINGER_SECONDS"):
        monkeypatch.setattr(connection, name, 0.2)


HEAD = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 20\r\n\r\n"


@pytest.mark.usefixtures("short_deadlines")
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", b""),
        (b"POST / HT", b"HTTP/1.1 408 "),
        (HEAD[:-2], b"HTTP/1.1 408 "),
        (HEAD, b"HTTP/1.1 408 "),
        (HEAD + b"1234", b"HTTP/1.1 408 "),
        (HEAD + b"1" * 20, b"HTTP/1.1 200 "),
    ],
    ids=["nothing", "half a line", "half a head", "no body", "half a body", "idle afterwards"],
)
def test_what_is_sent_by_halves_is_closed(sent: bytes, expected: bytes) -> None:
    """A silent, half-sent or idle connection ends at its deadline, with 408 where a request had begun."""

    async def run() -> bytes:
        service = _Service()
        async with _serving(service) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            data = await asyncio.wait_for(reader.read(), 5)
            while service.open:
                await asyncio.sleep(0.01)
            writer.close()
            return data

    data = asyncio.run(run())
    assert data.startswith(expected)
    assert bool(data) == bool(expected)


@pytest.mark.usefixtures("short_deadlines")
def test_a_trickle_of_header_bytes_does_not_extend_the_deadline() -> None:
    """One byte now and then does not keep a half-sent head alive."""

    async def run() -> int:
        service = _Service()
        async with _serving(service) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            sent = 0
            for byte in b"GET / HTTP/1.1\r\nx: " + b"y" * 100:
                writer.write(bytes([byte]))
                sent += 1
                try:
                    await asyncio.wait_for(reader.readexactly(1), 0.04)
                    break
                except TimeoutError:
                    continue
            assert (await reader.read()).startswith(b"TTP/1.1 408 ")
            writer.close()
            return sent

    assert asyncio.run(run()) < 100


@pytest.mark.usefixtures("short_deadlines")
def test_a_slow_body_that_moves_is_served() -> None:
    """A body that takes longer than the deadline in all, but never pauses so long, is complete in the end."""

    async def run() -> bytes:
        async with _serving(_Service()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD)
            for _ in range(20):
                await asyncio.sleep(0.03)
                writer.write(b"1")
            data = await reader.readuntil(b"ok")
            writer.close()
            return data

    assert asyncio.run(run()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.usefixtures("short_deadlines")
@pytest.mark.parametrize(
    "behind", [b"NONSENSE\r\n\r\n", b"POST / HT"], ids=["garbage", "half a request"]
)
def test_what_follows_does_not_cut_the_answer_under_way(behind: bytes) -> None:
    """Garbage or half a request behind one that is being answered leaves that answer its time."""

    async def run() -> bytes:
        service = _Service()
        service.holds = True
        async with _serving(service) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD + b"1" * 20)
            while not service.hold:
                await asyncio.sleep(0.01)
            writer.write(behind)
            for _ in range(20):  # three times the deadline
                await asyncio.sleep(0.03)
                service.hold[0].write([b"piece"])
            service.hold[0].finish()
            data = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            return data

    data = asyncio.run(run())
    assert data.count(b"piece") == 20
    assert b"\r\n0\r\n\r\n" in data
