"""Who is calling: every field and key that clients send, in the order in which they count."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from dolphin_logger.exchange import Client
from dolphin_logger.proxy.identity import identify

UUID = "5e1f3c9a-1111-2222-3333-444455556666"


def who(body: dict[str, Any] | None = None, *, run: str | None = None, **fields: str) -> Client:
    """Identify a request with these fields (`_` stands for `-`, `__` for `_`) and body."""
    headers = [
        (name.replace("__", "\0").replace("_", "-").replace("\0", "_").encode(), value.encode())
        for name, value in fields.items()
    ]
    return identify(headers, body or {}, run=run)


SESSIONS = [  # the strongest first
    "x_dolphin_session_id",
    "x_dolphin_session",
    "x_litellm_session_id",
    "x_litellm_trace_id",
    "helicone_session_id",
    "x_portkey_trace_id",
    "langfuse__session__id",
    "x_claude_code_session_id",
    "session_id",
    "session__id",
    "conversation__id",
    "x_session_id",
    "x_opencode_session",
    "x_session_affinity",
    "x_openwebui_chat_id",
    "x_qwen_code_session_id",
]


@pytest.mark.parametrize("rank", range(len(SESSIONS)))
def test_the_strongest_session_counts(rank: int) -> None:
    """Ours, then gateways', then the clients' own, then the body's; in whatever order they come."""
    weaker = {name: f"from {name}" for name in reversed(SESSIONS[rank:])}
    client = who({"metadata": {"session_id": "body"}}, **weaker)
    assert client.session == f"from {SESSIONS[rank]}"


@pytest.mark.parametrize(
    "name",
    [
        "x_deepseek_harness_session_id",
        "x_qwen_code_session_id",
        "x_hermes_session_id",
        "x_vendor_of_tomorrow_session_id",
    ],
)
def test_any_vendors_session_field_counts(name: str) -> None:
    """`x-<vendor>-session-id` needs no row of its own; a parent's is not taken for it."""
    assert who(**{name: "s"}).session == "s"
    assert who(x_parent_session_id="p").parent == "p"


BODIES: list[tuple[dict[str, Any], str | None]] = [
    ({"metadata": {"session_id": "a", "user_id": f"u_session_{UUID}"}}, "a"),
    ({"metadata": {"user_id": f"user_0123_account__session_{UUID}"}}, UUID),
    (
        {"metadata": {"user_id": orjson.dumps({"device_id": "d", "session_id": UUID}).decode()}},
        UUID,
    ),
    ({"metadata": {"user_id": "somebody@example.org"}}, None),
    ({"metadata": {"user_id": "{not json"}}, None),
    ({"metadata": {"user_id": "[1]"}}, None),
    ({"metadata": {"user_id": '{"session_id": 7}'}}, None),
    ({"metadata": {"session_id": 7}}, None),
    ({"metadata": "text"}, None),
    ({"client_metadata": {"session_id": "c"}, "prompt_cache_key": "k"}, "c"),
    ({"litellm_session_id": "l", "prompt_cache_key": "k"}, "l"),
    ({"prompt_cache_key": "k", "conversation": "conv_1"}, "k"),
    ({"conversation": "conv_1"}, "conv_1"),
    ({"conversation": {"id": "conv_2"}}, "conv_2"),
    ({"conversation": {"id": 3}, "prompt_cache_key": ["x"]}, None),
    ({"prompt_cache_key": ""}, None),
    ({}, None),
]


@pytest.mark.parametrize(("body", "session"), BODIES, ids=lambda part: str(part)[:40])
def test_a_session_in_the_body_is_found(body: dict[str, Any], session: str | None) -> None:
    """The explicit places first; what has another shape is nobody's session."""
    assert who(body).session == session


def test_an_empty_field_does_not_hide_a_weaker_one() -> None:
    """A field that holds nothing, or only control characters, says nothing."""
    assert who(x_dolphin_session_id="", session_id="s").session == "s"
    assert who(x_dolphin_session_id="\x01", x_litellm_session_id="s").session == "s"
    assert who(x_a_session_id="", x_b_session_id="s").session == "s"
    assert who({"prompt_cache_key": "k"}, x_dolphin_session_id="").session == "k"


DIRTY = "a\x00b\x1b[31mc\u202ed\u2028e\x7ff\u2066g\x85h"


@pytest.mark.parametrize("field", ["x_dolphin_session_id", "session_id", "x_dolphin_client"])
def test_values_are_cleaned_and_cut(field: str) -> None:
    """No control or direction character survives; 256 characters do."""
    client = who(**{field: DIRTY})
    assert (client.name if field.endswith("client") else client.session) == "ab[31mcdefgh"
    client = who(**{field: "é" * 1000})
    assert (client.name if field.endswith("client") else client.session) == "é" * 256


def test_body_and_run_are_cleaned_too() -> None:
    """What comes in the body, lone surrogates included, and in the path is as untrusted."""
    client = who({"prompt_cache_key": "\ud800" + DIRTY + "x" * 1000}, run=DIRTY + "y" * 1000)
    assert client.session == "ab[31mcdefgh" + "x" * 244
    assert client.tags["run"] == "ab[31mcdefgh" + "y" * 244


def test_the_first_of_repeated_fields_counts() -> None:
    """A field that comes twice does not let the second one win."""
    client = identify([(b"session-id", b"one"), (b"session-id", b"two")], {}, run=None)
    assert client.session == "one"


def test_bytes_that_are_no_utf8_are_survived() -> None:
    """A field of Latin-1 is kept as far as it can be read."""
    assert identify([(b"session-id", b"caf\xe9")], {}, run=None).session == "caf\ufffd"


def test_agent_and_parent() -> None:
    """Ours first, then those of Claude Code, Open WebUI and Codex."""
    assert who(thread_id="t").agent == "t"
    assert who(thread_id="t", x_openwebui_message_id="m").agent == "m"
    assert who(x_openwebui_message_id="m", x_claude_code_agent_id="c").agent == "c"
    assert who(x_claude_code_agent_id="c", x_dolphin_agent="d").agent == "d"
    assert who(x_codex_parent_thread_id="a").parent == "a"
    assert who(x_codex_parent_thread_id="a", x_parent_session_id="b").parent == "b"
    assert who(x_parent_session_id="b", x_claude_code_parent_agent_id="c").parent == "c"
    assert who(x_claude_code_parent_agent_id="c", x_dolphin_parent="d").parent == "d"


def test_the_main_thread_is_no_agent() -> None:
    """Codex gives its main thread the session's own id; only another thread is a sub-agent."""
    main = who(session_id=UUID, thread_id=UUID)
    assert (main.session, main.agent) == (UUID, None)
    helper = who(session_id=UUID, thread_id="t", x_codex_parent_thread_id=UUID)
    assert (helper.session, helper.agent, helper.parent) == (UUID, "t", UUID)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("opencode/1.18.33 ai-sdk/provider-utils/4.0.23", "opencode"),
        ("curl/v8.1", "curl"),
        ("OpenAI/Python 3.54.0", "OpenAI/Python"),
        ("GeminiCLI/0.61.0/gemini-3-pro (linux; x64)", "gemini-cli"),
        ("GeminiCLI-tui/0.61.0/gemini-3-pro (linux; x64; terminal)", "gemini-cli"),
        ("codex_exec/0.171.0 (Debian 12.0.0; x86_64) unknown", "codex"),
        ("/1.0", None),
    ],
)
def test_a_product_is_named_without_its_version(user_agent: str, name: str | None) -> None:
    """What is counted by client must not fall apart with each release."""
    assert who(user_agent=user_agent).name == name


def test_a_run_is_the_session_of_a_client_that_names_none() -> None:
    """Gemini CLI sends no session; of a client that may, none is guessed."""
    gemini = {"user_agent": "GeminiCLI-tui/0.61.0/gemini-3-pro (linux; x64; terminal)"}
    assert who(run="r1", **gemini).session == "r1"
    assert who(run="r1", x_goog_api_client="x", x_session_id="s", **gemini).session == "s"
    assert who(**gemini).session is None
    assert who(run="r1", user_agent="OpenAI/Python 3.54.0").session is None


def test_tags() -> None:
    """One by one, as a list, from Helicone, from the gateways' JSON, and from the path."""
    client = who(
        run="r1",
        x_dolphin_tag_team="red",
        x_dolphin_tags="a=1, b , c = x=y ,=z,",
        helicone_property_Feature="search",
        helicone_session_path="/plan",
        helicone_session_name="Trip",
        helicone_user_id="somebody@example.org",
        x_portkey_metadata='{"env":"prod","_user":"somebody@example.org","n":1}',
        cf_aig_metadata='{"team":"AI"}',
    )
    assert client.tags == {
        "run": "r1",
        "team": "AI",
        "a": "1",
        "b": "",
        "c": "x=y",
        "Feature": "search",
        "session-path": "/plan",
        "session-name": "Trip",
        "env": "prod",
    }
    for broken in ("", "{", "[]", '"x"', "7"):
        assert who(x_portkey_metadata=broken).tags == {}


# --- whole field sets, as real clients send them

CLIENTS: dict[str, tuple[dict[str, str], dict[str, Any], Client]] = {
    "codex": (
        {
            "originator": "codex_cli_rs",
            "user-agent": "codex_cli_rs/0.169.0 (Debian 13; x86_64) xterm",
            "session-id": UUID,
            "thread-id": "thread-9",
            "x-codex-turn-metadata": '{"installation_id":"i"}',
        },
        {"prompt_cache_key": UUID},
        Client("codex", UUID, "thread-9", None, {}),
    ),
    "codex exec, older": (
        {"user-agent": "codex_exec/0.150.0", "session_id": UUID, "conversation_id": "c"},
        {},
        Client("codex", UUID, None, None, {}),
    ),
    "claude code": (
        {
            "user-agent": "claude-cli/2.1.197 (external, cli)",
            "x-app": "cli",
            "anthropic-version": "2023-06-01",
            "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14",
            "x-claude-code-session-id": UUID,
            "x-claude-code-agent-id": "agent-1",
            "x-claude-code-parent-agent-id": "agent-0",
        },
        {"metadata": {"user_id": f"user_x_account__session_{UUID}"}},
        Client("claude-code", UUID, "agent-1", "agent-0", {}),
    ),
    "claude code, older": (
        {"user-agent": "claude-cli/1.0.60 (external, cli)"},
        {"metadata": {"user_id": f"user_x_account_y_session_{UUID}"}},
        Client("claude-code", UUID, None, None, {}),
    ),
    "open webui": (
        {
            "user-agent": "Python/3.11 aiohttp/3.12.15",
            "x-openwebui-user-name": "Some%20Body",
            "x-openwebui-user-id": "u",
            "x-openwebui-user-email": "somebody@example.org",
            "x-openwebui-user-role": "admin",
            "x-openwebui-chat-id": UUID,
            "x-openwebui-message-id": "m-1",
        },
        {},
        Client("open-webui", UUID, "m-1", None, {}),
    ),
    "opencode": (
        {
            "user-agent": "opencode/1.18.33 ai-sdk/provider-utils/4.0.0 runtime/bun/1.3.0",
            "x-session-affinity": "ses_1",
            "x-session-id": "ses_1",
            "x-opencode-session": "ses_1",
            "x-parent-session-id": "ses_0",
        },
        {},
        Client("opencode", "ses_1", None, "ses_0", {}),
    ),
    "gemini cli": (
        {"user-agent": "GeminiCLI/0.61.0/gemini-3-pro (linux; x64)"},
        {},
        Client("gemini-cli", None, None, None, {}),
    ),
    "openai sdk": (
        {"user-agent": "OpenAI/Python 3.54.0"},
        {},
        Client("OpenAI/Python", None, None, None, {}),
    ),
    "nobody": ({}, {}, Client()),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_real_client_is_recognised(name: str) -> None:
    """Name, session, agent and parent come out of what the client sends of its own accord."""
    fields, body, expected = CLIENTS[name]
    headers = [(key.encode(), value.encode()) for key, value in fields.items()]
    assert identify(headers, body, run=None) == expected
    named = identify([*headers, (b"x-dolphin-client", b"mine")], body, run=None)
    assert named.name == "mine"
