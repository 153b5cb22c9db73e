"""What each client gets for a run: pure plans out of the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.errors import ConfigError
from dolphin_logger.providers import PROVIDERS
from dolphin_logger.setup._api import Circumstances, Client
from dolphin_logger.setup.plan import DUMMY, extend_no_proxy, make_plan
from dolphin_logger.setup.program import find_program
from dolphin_logger.setup.reading import surroundings
from dolphin_logger.setup.sdks import ANY
from dolphin_logger.setup.table import (
    CLIENTS,
    UnknownClientError,
    client_of_program,
    find_client,
)
from dolphin_logger.setup.upstream import example_entry, find_upstreams, serves

BASE = "http://127.0.0.1:5001/c/r1"
EXPECTED = {  # client: the variables that lead it here
    "claude-code": {"ANTHROPIC_BASE_URL": BASE, "ENABLE_TOOL_SEARCH": "true"},
    "codex": {},
    "gemini-cli": {"GOOGLE_GEMINI_BASE_URL": BASE},
    "aider": {
        "OPENAI_API_BASE": f"{BASE}/v1",
        "AIDER_OPENAI_API_BASE": f"{BASE}/v1",
        "ANTHROPIC_API_BASE": BASE,
        "ANTHROPIC_BASE_URL": BASE,
        "OLLAMA_API_BASE": BASE,
    },
    "open-webui": {
        "OPENAI_API_BASE_URL": f"{BASE}/v1",
        "OPENAI_API_BASE_URLS": f"{BASE}/v1",
        "OLLAMA_BASE_URL": BASE,
        "ENABLE_FORWARD_USER_INFO_HEADERS": "true",
    },
    "continue": {},
    "zed": {},
    "cursor": {},
    "openai-sdk": {"OPENAI_BASE_URL": f"{BASE}/v1"},
    "anthropic-sdk": {"ANTHROPIC_BASE_URL": BASE},
    "google-genai": {"GOOGLE_GEMINI_BASE_URL": BASE},
    "ollama": {"OLLAMA_HOST": BASE, "OLLAMA_BASE_URL": BASE, "OLLAMA_API_BASE": BASE},
    "langchain": {
        "OPENAI_BASE_URL": f"{BASE}/v1",
        "OPENAI_API_BASE": f"{BASE}/v1",
        "ANTHROPIC_BASE_URL": BASE,
        "ANTHROPIC_API_URL": BASE,
    },
    "llamaindex": {
        "OPENAI_BASE_URL": f"{BASE}/v1",
        "OPENAI_API_BASE": f"{BASE}/v1",
        "ANTHROPIC_BASE_URL": BASE,
    },
    "litellm": {
        "OPENAI_BASE_URL": f"{BASE}/v1",
        "OPENAI_API_BASE": f"{BASE}/v1",
        "ANTHROPIC_BASE_URL": BASE,
        "ANTHROPIC_API_BASE": BASE,
        "OLLAMA_API_BASE": BASE,
    },
    "vercel-ai-sdk": {"OPENAI_BASE_URL": f"{BASE}/v1", "ANTHROPIC_BASE_URL": f"{BASE}/v1"},
    "pydantic-ai": {
        "OPENAI_BASE_URL": f"{BASE}/v1",
        "OLLAMA_BASE_URL": f"{BASE}/v1",
        "ANTHROPIC_BASE_URL": BASE,
        "GOOGLE_GEMINI_BASE_URL": BASE,
    },
    "groq-sdk": {"GROQ_BASE_URL": BASE},
    "mistral-sdk": {},
}


def given(tmp_path: Path, model: str | None = None, *, keyless: bool = False, **environ: str):
    """Circumstances with a home that has nothing in it."""
    return Circumstances(BASE, {"HOME": str(tmp_path), "NO_PROXY": "*", "no_proxy": "*"} | environ, model, keyless)  # fmt: skip


def write(path: Path, text: str) -> None:
    """Write a file of the user's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_every_client_is_led_here_and_keeps_its_keys(client: Client, tmp_path: Path) -> None:
    """Each client of the table gets its addresses and no key of ours."""
    plan = make_plan(client, given(tmp_path))
    if client.name == "opencode":
        content = json.loads(plan.variables["OPENCODE_CONFIG_CONTENT"])
        bases = {name: p["options"]["baseURL"] for name, p in content["provider"].items()}
        assert bases == {
            "anthropic": f"{BASE}/v1",
            "openai": f"{BASE}/v1",
            "google": f"{BASE}/v1beta",
        }
    else:
        assert dict(plan.variables) == EXPECTED[client.name]
    assert not [name for name in plan.variables if "KEY" in name or "TOKEN" in name]
    assert client.dialect in DIALECTS
    assert set(client.vendors) <= set(PROVIDERS)
    assert client.edits or client.adapt or client.variables or client.by_hand


def test_claude_code(tmp_path: Path) -> None:
    """Its variables go into --settings as well, and the guard against nesting is taken away."""
    plan = make_plan(find_client("claude"), given(tmp_path, CLAUDECODE="1"))
    flag, settings = plan.arguments
    assert flag == "--settings"
    assert json.loads(settings) == {
        "env": {"ANTHROPIC_BASE_URL": BASE, "ENABLE_TOOL_SEARCH": "true"}
    }
    assert plan.removed == ("CLAUDECODE",)


@pytest.mark.parametrize("own", [["--settings", "mine.json"], ["--settings=mine.json"]])
def test_own_settings_stay(tmp_path: Path, own: list[str]) -> None:
    """A user's own --settings is not doubled, and that is said."""
    plan = make_plan(find_client("claude"), given(tmp_path), own=own)
    assert plan.arguments == ()
    assert "--settings" in plan.notes[0]


@pytest.mark.parametrize(("environ", "dummy"), [({}, True), ({"ANTHROPIC_API_KEY": "sk"}, False)])
def test_claude_code_with_a_local_model(
    tmp_path: Path, environ: dict[str, str], dummy: bool
) -> None:
    """Every model variable names it; a dummy stands in only where the user has no key."""
    plan = make_plan(find_client("claude"), given(tmp_path, "lo", keyless=True, **environ))
    named = {name for name, text in plan.variables.items() if text == "lo"}
    assert named == {
        "ANTHROPIC_MODEL",
        "ANTHROPIC_SMALL_FAST_MODEL",
        "ANTHROPIC_DEFAULT_OPUS_MODEL",
        "ANTHROPIC_DEFAULT_SONNET_MODEL",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL",
        "CLAUDE_CODE_SUBAGENT_MODEL",
    }
    assert (plan.variables.get("ANTHROPIC_AUTH_TOKEN") == DUMMY) == dummy
    assert "ANTHROPIC_API_KEY" not in plan.variables
    assert any("ANTHROPIC_AUTH_TOKEN" in note for note in plan.notes) == dummy
    assert json.loads(plan.arguments[1])["env"]["ANTHROPIC_MODEL"] == "lo"


def test_a_key_that_passes_on_is_no_dummy(tmp_path: Path) -> None:
    """A model whose entry passes the caller's key on gets no dummy."""
    plan = make_plan(find_client("claude"), given(tmp_path, "m"))
    assert "ANTHROPIC_AUTH_TOKEN" not in plan.variables


def settings_of(plan_arguments: tuple[str, ...]) -> dict[str, str]:
    """Read `-c key=value` pairs."""
    assert set(plan_arguments[::2]) == {"-c"}
    return dict(pair.split("=", 1) for pair in plan_arguments[1::2])


@pytest.mark.parametrize(
    ("environ", "auth", "expected"),
    [
        ({}, None, {"requires_openai_auth": "true"}),
        ({"OPENAI_API_KEY": "sk"}, None, {"env_key": '"OPENAI_API_KEY"'}),
        ({"OPENAI_API_KEY": "sk"}, "{}", {"requires_openai_auth": "true"}),
    ],
)
def test_codex(
    tmp_path: Path, environ: dict[str, str], auth: str | None, expected: dict[str, str]
) -> None:
    """A provider of ours in front, by arguments only, with the login or the key that there is."""
    if auth is not None:
        write(tmp_path / ".codex/auth.json", auth)
    plan = make_plan(find_client("codex"), given(tmp_path, **environ))
    ours = "model_providers.dolphin"
    assert settings_of(plan.arguments) == {
        "model_provider": '"dolphin"',
        f"{ours}.name": '"OpenAI by dolphin-logger"',
        f"{ours}.base_url": f'"{BASE}/v1"',
        f"{ours}.wire_api": '"responses"',
        f"{ours}.supports_websockets": "false",
    } | {f"{ours}.{key}": value for key, value in expected.items()}
    assert "OPENAI_BASE_URL" not in plan.variables


def test_codex_with_a_local_model(tmp_path: Path) -> None:
    """A model that needs no key asks for no login and no variable."""
    plan = make_plan(find_client("codex"), given(tmp_path, "lo", keyless=True))
    settings = settings_of(plan.arguments)
    assert settings["model"] == '"lo"'
    assert not [key for key in settings if "auth" in key or "env_key" in key]


def test_codex_with_a_provider_of_its_own(tmp_path: Path) -> None:
    """The provider that the user chose is redirected, keys and all, and is where requests go on to."""
    write(
        tmp_path / ".codex/config.toml",
        'model_provider = "corp"\n[model_providers.corp]\nbase_url = "https://gw.example/v1"\nenv_key = "K"\n',
    )
    client = find_client("codex")
    plan = make_plan(client, given(tmp_path))
    assert settings_of(plan.arguments) == {
        "model_providers.corp.base_url": f'"{BASE}/v1"',
        "model_providers.corp.supports_websockets": "false",
    }
    found = upstreams_of(client, tmp_path)
    assert found == {"openai": "https://gw.example/v1"}


def test_gemini_says_what_it_lacks(tmp_path: Path) -> None:
    """Without a chosen way to authenticate the cure is named; with Google's login that nothing comes."""
    client = find_client("gemini")
    assert "connect gemini-cli" in make_plan(client, given(tmp_path)).notes[0]
    for way, notes in (("gemini-api-key", 0), ("oauth-personal", 1)):
        auth = {"security": {"auth": {"selectedType": way}}}
        write(tmp_path / ".gemini/settings.json", json.dumps(auth))
        known = surroundings(client, {"HOME": str(tmp_path)})
        plan = make_plan(client, Circumstances(BASE, known))
        assert len(plan.notes) == notes
    assert "not recorded" in plan.notes[0]


def test_opencode_keeps_what_it_was_given(tmp_path: Path) -> None:
    """What stands in its variable already stays, with ours laid over it; a model becomes its own."""
    mine = json.dumps({"theme": "x", "provider": {"openai": {"options": {"apiKey": "k"}}}})
    plan = make_plan(find_client("opencode"), given(tmp_path, "lo", OPENCODE_CONFIG_CONTENT=mine))
    content = json.loads(plan.variables["OPENCODE_CONFIG_CONTENT"])
    assert content["theme"] == "x"
    assert content["provider"]["openai"]["options"] == {"apiKey": "k", "baseURL": f"{BASE}/v1"}
    assert content["model"] == content["small_model"] == "dolphin/lo"
    assert content["provider"]["dolphin"]["options"] == {"baseURL": f"{BASE}/v1"}
    assert list(content["provider"]["dolphin"]["models"]) == ["lo"]


def test_other_services_are_named(tmp_path: Path) -> None:
    """A variable that sends a client elsewhere is named, since nothing will be recorded."""
    environ = {"CLAUDE_CODE_USE_BEDROCK": "1", "CLAUDE_CODE_USE_VERTEX": "0"}
    (note,) = make_plan(find_client("claude"), given(tmp_path, **environ)).notes
    assert note.startswith("CLAUDE_CODE_USE_BEDROCK is set")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "127.0.0.1,localhost"),
        ("corp.example, localhost", "corp.example,localhost,127.0.0.1"),
        ("127.0.0.1,localhost", None),
        ("*", None),
    ],
)
def test_loopback_needs_no_proxy(before: str, after: str | None) -> None:
    """NO_PROXY is extended, not replaced, and left alone where it suffices."""
    assert extend_no_proxy({"NO_PROXY": before, "no_proxy": "*"}).get("NO_PROXY") == after


def upstreams_of(client: Client, home: Path, **environ: str) -> dict[str, str | None]:
    """Find upstreams, with port 5001 as ours."""
    known = surroundings(client, {"HOME": str(home)} | environ)
    return find_upstreams(client, known, is_ours=lambda base: ":5001" in base)


@pytest.mark.parametrize(
    ("name", "environ", "expected"),
    [
        ("claude", {}, {"anthropic": None}),
        ("claude", {"ANTHROPIC_BASE_URL": "https://gw/x"}, {"anthropic": "https://gw/x"}),
        ("claude", {"ANTHROPIC_BASE_URL": "http://127.0.0.1:5001/c/a"}, {"anthropic": None}),
        ("gemini", {"GOOGLE_GEMINI_BASE_URL": "https://g"}, {"google": "https://g"}),
        ("codex", {"OPENAI_BASE_URL": "https://o/v1"}, {"openai": "https://o/v1"}),
        ("ollama", {"OLLAMA_HOST": "0.0.0.0"}, {"ollama": "http://127.0.0.1:11434"}),
        ("ollama", {"OLLAMA_HOST": "box:99"}, {"ollama": "http://box:99"}),
        ("ollama", {"OLLAMA_HOST": "https://[::1]:1/"}, {"ollama": "https://[::1]:1/"}),
        ("groq-sdk", {"GROQ_BASE_URL": "https://g/"}, {"groq": "https://g/openai/v1"}),
        (
            "langchain",
            {"OPENAI_BASE_URL": "http://127.0.0.1:5001/v1", "OPENAI_API_BASE": "https://b/v1"},
            {"openai": "https://b/v1", "anthropic": None},
        ),
    ],
)
def test_gateways_stay_in_the_chain(
    tmp_path: Path, name: str, environ: dict[str, str], expected: dict[str, str | None]
) -> None:
    """The address that the user had is where requests go on to; ours is none."""
    assert upstreams_of(find_client(name), tmp_path, **environ) == expected


def test_a_gateway_in_settings_counts_first(tmp_path: Path) -> None:
    """Claude Code's settings win over the environment, as they do for Claude Code."""
    write(
        tmp_path / "conf/settings.json",
        '{"env": {"ANTHROPIC_BASE_URL": "https://s", /* mine */ }, }',
    )
    environ = {"ANTHROPIC_BASE_URL": "https://e", "CLAUDE_CONFIG_DIR": str(tmp_path / "conf")}
    assert upstreams_of(find_client("claude"), tmp_path, **environ) == {"anthropic": "https://s"}


def test_the_environment_wins_over_a_file_of_variables(tmp_path: Path) -> None:
    """Gemini's .env fills only what the environment lacks."""
    write(tmp_path / ".gemini/.env", 'export GOOGLE_GEMINI_BASE_URL="https://f"\n')
    client = find_client("gemini")
    assert upstreams_of(client, tmp_path) == {"google": "https://f"}
    found = upstreams_of(client, tmp_path, GOOGLE_GEMINI_BASE_URL="https://e")
    assert found == {"google": "https://e"}


@pytest.mark.parametrize(
    ("login", "base"),
    [
        ('{"auth_mode": "chatgpt", "tokens": {}}', "https://chatgpt.com/backend-api/codex"),
        ('{"OPENAI_API_KEY": null, "tokens": {"a": 1}}', "https://chatgpt.com/backend-api/codex"),
        ('{"OPENAI_API_KEY": "sk", "tokens": null}', None),
        ('{"auth_mode": "apikey", "OPENAI_API_KEY": "sk"}', None),
        ("not json", None),
    ],
)
def test_a_chatgpt_login_goes_to_its_own_address(
    tmp_path: Path, login: str, base: str | None
) -> None:
    """The kind of login decides where Codex's requests go."""
    write(tmp_path / ".codex/auth.json", login)
    assert upstreams_of(find_client("codex"), tmp_path) == {"openai": base}


@pytest.mark.parametrize("address", ["gw.example", "https://me:secret@gw", "https://gw/?a=1"])
def test_what_is_no_address_is_refused(tmp_path: Path, address: str) -> None:
    """A variable that cannot be an upstream is named, without its value."""
    with pytest.raises(ConfigError, match=r"ANTHROPIC_BASE_URL: .*unset it") as caught:
        upstreams_of(find_client("claude"), tmp_path, ANTHROPIC_BASE_URL=address)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("vendor", "entry", "expected"),
    [
        ("anthropic", {"id": "*", "provider": "anthropic"}, True),
        ("anthropic", {"id": "claude-*", "provider": "anthropic"}, True),
        ("anthropic", {"id": "claude-3*", "provider": "anthropic"}, False),
        ("anthropic", {"id": "claude", "provider": "anthropic"}, False),
        ("anthropic", {"id": "*", "provider": "openai"}, False),
        ("ollama", {"id": "*", "provider": "ollama"}, True),
        ("ollama", {"id": "llama*", "provider": "ollama"}, False),
        ("openai", {"id": 7}, False),
    ],
)
def test_who_serves_a_vendor(vendor: str, entry: dict[str, object], expected: bool) -> None:
    """Only a wildcard that takes all of a vendor's models serves its clients."""
    assert serves([entry], vendor) is expected
    example = example_entry(vendor)
    assert serves([{"id": example["model"], "provider": vendor}], vendor)


def test_names() -> None:
    """Clients are found by name, alias and program; unknown ones get the nearest names."""
    assert find_client("Claude") is find_client("claude-code")
    with pytest.raises(UnknownClientError, match=r"did you mean opencode.*known: claude-code"):
        find_client("opncode")
    assert client_of_program("/usr/bin/codex").name == "codex"
    assert client_of_program(r"C:\npm\claude.CMD").name == "claude-code"
    assert client_of_program("python") is ANY


def test_programs(tmp_path: Path) -> None:
    """PATH first, then where installers put it; else the command that installs it."""
    client = find_client("claude")
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}
    with pytest.raises(Exception, match="npm install -g @anthropic-ai/claude-code"):
        find_program(client, environ)
    for place in (tmp_path / ".claude/local/claude", tmp_path / "bin/claude"):
        write(place, "#!/bin/sh\n")
        place.chmod(0o755)
        assert find_program(client, environ) == str(place)
