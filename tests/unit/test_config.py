"""config.json: what is read, what is said about it, and what is never shown."""

from __future__ import annotations

import copy
import json
import os
import pickle
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dolphin_logger import config
from dolphin_logger.config import ModelEntry, Retention, Secret, SuppressRule, Timeouts
from dolphin_logger.config.locate import line_of, walk
from dolphin_logger.config.settings import KEYS, SETTINGS, spell
from dolphin_logger.errors import ConfigError

KNOWN = ("openai", "anthropic", "google", "ollama", "demo")
CANARY = "sk-canary-7f3a"


def write(folder: Path, value: Any) -> Path:
    """Write config.json, as text or as a value."""
    path = folder / "config.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value, indent=1), "utf-8")
    path.chmod(0o600)
    return path


def load(folder: Path, value: Any, **env: str) -> config.Config:
    """Load a configuration given as text or value."""
    return config.load(write(folder, value), env=env, known_providers=KNOWN)


def one(folder: Path, entry: dict[str, Any], **env: str) -> ModelEntry:
    """Load one good entry."""
    loaded = load(folder, {"models": [{"provider": "openai", "model": "m", **entry}]}, **env)
    assert not loaded.skipped
    return loaded.models[0]


def reason(folder: Path, entry: dict[str, Any], **env: str) -> str:
    """Say why one bad entry is skipped."""
    loaded = load(folder, {"models": [{"provider": "openai", "model": "m", **entry}]}, **env)
    assert loaded.models == ()
    return loaded.skipped[0].reason


def test_configuration_of_the_original_loads_unchanged(tmp_path: Path) -> None:
    """The original README's file gives six models and only warns of its placeholder keys."""
    models = [
        ("openai", "gpt-4.1", "gpt4.1", "https://api.openai.com/v1", "your_openai_api_key_here"),
        ("anthropic", "claude-3-7-sonnet-latest", "claude", None, "your_anthropic_api_key_here"),
        ("openai", "c", "claude-hyprlab", "https://api.hyprlab.io/private", "your_key_here"),
        ("openai", "g", "gemini", "https://generativelanguage.googleapis.com/v1beta/", "ENV:K"),
        ("ollama", "codestral:22b-v0.1-q5_K_M", "codestral", None, None),
        ("ollama", "dolphin3-24b", "dolphin", None, None),
    ]
    names = ("provider", "providerModel", "model", "apiBase", "apiKey")
    value = {
        "models": [
            {name: given for name, given in zip(names, row, strict=True) if given} for row in models
        ],
        "huggingface_repo": "someone/somewhere",
    }
    loaded = load(tmp_path, value, K="key")
    assert [entry.model for entry in loaded.models] == [row[2] for row in models]
    assert loaded.models[3].api_base == "https://generativelanguage.googleapis.com/v1beta/"
    assert loaded.huggingface_repo == "someone/somewhere"
    assert len(loaded.warnings) == 3
    assert all("placeholder" in warning for warning in loaded.warnings)


def test_secret_shows_itself_nowhere() -> None:
    """Every text form of a secret is ***, and it can be neither pickled nor written as JSON."""
    secret = Secret(CANARY)
    assert [str(secret), repr(secret), f"{secret:>9}", f"{[secret]}"] == [
        "***",
        "***",
        "***",
        "[***]",
    ]
    assert secret == Secret(CANARY) != Secret("other")
    assert len({secret, Secret(CANARY), copy.deepcopy(secret)}) == 1
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert not hasattr(secret, "__dict__")
    assert secret.reveal() == CANARY


def test_key_comes_from_the_environment(tmp_path: Path) -> None:
    """ENV:NAME takes the variable's value and keeps its name."""
    entry = one(tmp_path, {"apiKey": "ENV:MY_KEY"}, MY_KEY=CANARY + "\n")
    assert entry.api_key == Secret(CANARY)
    assert entry.key_variable == "MY_KEY"


@pytest.mark.parametrize("env", [{}, {"MY_KEY": ""}, {"MY_KEY": "  "}])
def test_missing_variable_is_a_warning(tmp_path: Path, env: dict[str, str]) -> None:
    """A variable that is missing or empty leaves the entry without key, and both are named."""
    loaded = load(
        tmp_path,
        {"models": [{"provider": "openai", "model": "gpt", "apiKey": "ENV:MY_KEY"}]},
        **env,
    )
    assert loaded.models[0].api_key is None
    assert loaded.models[0].key_variable == "MY_KEY"
    assert "'gpt'" in loaded.warnings[0]
    assert "'MY_KEY'" in loaded.warnings[0]


@pytest.mark.parametrize("slip", [CANARY, "gsk_canary" + "a1B2" * 12])
def test_key_written_as_a_reference_is_not_shown(tmp_path: Path, slip: str) -> None:
    """A key after ENV: by mistake appears in no message."""
    entry = {"provider": "openai", "model": "m", "apiKey": "ENV:" + slip}
    entry["headers"] = {"x-a": "ENV:" + slip}  # type: ignore[assignment]
    loaded = load(tmp_path, {"models": [entry], "token": "ENV:" + slip})
    assert len(loaded.warnings) == 3
    assert "canary" not in "".join(loaded.warnings)


def test_passthrough_is_a_word_not_a_key(tmp_path: Path) -> None:
    """PASSTHROUGH is recognised and is not among the secrets."""
    loaded = load(
        tmp_path, {"models": [{"provider": "openai", "model": "m", "apiKey": "PASSTHROUGH"}]}
    )
    assert loaded.models[0].passthrough
    assert loaded.secrets() == ()


def test_secrets_are_all_listed(tmp_path: Path) -> None:
    """Keys, the token and header values are listed, each once."""
    entry = {"provider": "openai", "apiKey": "k", "headers": {"x-a": "h", "x-b": "ENV:B"}}
    value = {"token": "t", "models": [{**entry, "model": "a"}, {**entry, "model": "b"}]}
    listed = [secret.reveal() for secret in load(tmp_path, value, B="e").secrets()]
    assert listed == ["t", "k", "h", "e"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            {"provider": "opnai"},
            "models[0].provider: unknown provider 'opnai'; did you mean 'openai'?",
        ),
        ({"provider": "OpenAI"}, "did you mean 'openai'? known: anthropic, demo, google"),
        ({"provider": None}, "models[0].provider: 'provider' is missing"),
        ({"model": 7}, "models[0].model: expected a non-empty string, got 7"),
        ({"model": " "}, "models[0].model"),
        (
            {"providerModel": []},
            "models[0].providerModel: expected a non-empty string, got an array",
        ),
        ({"apiBase": "localhost:11434/v1"}, "http:// or https://"),
        ({"apiBase": "ftp://host/"}, "http:// or https://"),
        ({"apiBase": "https://"}, "http:// or https://"),
        ({"apiBase": "http://host:99999/"}, "http:// or https://"),
        ({"apiBase": f"https://me:{CANARY}@host/v1"}, "user name or password"),
        ({"apiBase": f"https://host/v1?key={CANARY}"}, 'put parameters into "query"'),
        ({"apiBase": "https://host/v1#part"}, "must not contain"),
        ({"apiBase": "https://host/v1\r\nx: y"}, "without spaces"),
        ({"apiKey": 12345678}, "models[0].apiKey: expected a string, got a number"),
        ({"apiKey": f"{CANARY}\r\nx: y"}, "models[0].apiKey: contains a character"),
        ({"headers": [CANARY]}, "models[0].headers: expected an object"),
        ({"headers": {"x-a": f"{CANARY}\nx: y"}}, "models[0].headers.x-a: contains a character"),
        ({"headers": {"bad name": "v"}}, "models[0].headers.bad name: not a header name"),
        ({"headers": {"Content-Length": "3"}}, "set by the connection itself"),
        ({"query": {"a": 1}}, "models[0].query.a: expected a printable string"),
        ({"timeouts": {"idle": 0}}, "models[0].timeouts.idle: expected seconds"),
        ({"timeouts": {"first_byte": 1}}, "did you mean 'firstByte'?"),
        ({"publishable": "no"}, "models[0].publishable: expected true or false"),
    ],
)
def test_entry_at_fault_is_skipped_with_the_reason(
    tmp_path: Path, entry: dict[str, Any], expected: str
) -> None:
    """An entry that cannot be used is skipped; the reason names path and cure, never a key."""
    said = reason(tmp_path, entry)
    assert said.startswith("config.json:")
    assert expected in said
    assert CANARY not in said
    assert "12345678" not in said


def test_one_bad_entry_leaves_the_others(tmp_path: Path) -> None:
    """Ill-typed entries and second names are skipped; the first of a name is used."""
    value = {
        "models": [
            3,
            {"provider": "demo", "model": "a", "providerModel": "first"},
            {"provider": "demo", "model": "a", "providerModel": "second"},
            {"provider": "demo", "model": "b*"},
        ]
    }
    loaded = load(tmp_path, value)
    assert [(entry.model, entry.provider_model) for entry in loaded.models] == [
        ("a", "first"),
        ("b*", None),
    ]
    assert [(skipped.index, skipped.model) for skipped in loaded.skipped] == [(0, ""), (2, "a")]
    assert "already the name of models[1]" in loaded.skipped[1].reason


def test_unknown_keys_are_warned_of_with_line_and_neighbour(tmp_path: Path) -> None:
    """An unknown key is ignored, with its line and the nearest valid key; comments are not."""
    text = (
        '{\n "_note": 1, "// x": 2, "$schema": "s",\n "prot": 5,\n "models": [\n  {"provider": "demo",'
        '\n   "api_key": "' + CANARY + '",\n   "_c": 1, "model": "m"}]}'
    )
    warnings = load(tmp_path, text).warnings
    assert len(warnings) == 2
    assert warnings[0].startswith("config.json:3: prot: unknown key, ignored; did you mean 'port'?")
    assert warnings[1].startswith(
        "config.json:6: models[0].api_key: unknown key, ignored; did you "
    )
    assert "'apiKey'" in warnings[1]
    assert CANARY not in "".join(warnings)


def test_settings_are_read(tmp_path: Path) -> None:
    """Every setting of the file arrives; those of later versions are accepted in silence."""
    value = {
        "models": [{"provider": "demo", "model": "m", "timeouts": {"idle": 5}, "price": 1}],
        "host": "::1",
        "port": 8080,
        "token": "t",
        "allowedHosts": ["box.local:5001"],
        "allowedOrigins": ["http://localhost:3000/"],
        "timeouts": {"connect": 1, "firstByte": 2.5},
        "onClientDisconnect": "drain",
        "onRecordFailure": "refuse",
        "recordRaw": "always",
        "suppress": [{"model": "test-*", "client": "ci"}],
        "sample": 0.5,
        "uiPort": 1,
        "workers": 2,
        "durability": "strict",
        "seal": False,
        "retention": {"days": 1.5, "bytes": 10**9, "_": "why"},
    }
    loaded = load(tmp_path, value)
    assert loaded.warnings == ()
    assert (loaded.host, loaded.port, loaded.token) == ("::1", 8080, Secret("t"))
    assert loaded.allowed_hosts == ("box.local:5001",)
    assert loaded.allowed_origins == ("http://localhost:3000",)
    assert loaded.timeouts == Timeouts(connect=1, first_byte=2.5)
    assert loaded.models[0].timeouts == Timeouts(connect=1, first_byte=2.5, idle=5)
    assert (loaded.on_client_disconnect, loaded.on_record_failure) == ("drain", "refuse")
    assert (loaded.record_raw, loaded.sample) == ("always", 0.5)
    assert (loaded.seal, loaded.retention) == (False, Retention(days=1.5, bytes=10**9))
    assert loaded.suppress[-1] == SuppressRule(model="test-*", client="ci")


def test_the_rules_of_the_house_always_suppress(tmp_path: Path) -> None:
    """`### Task:` and `x-no-log: true` come first, whatever the configuration adds."""
    rules = load(tmp_path, {"models": [], "suppress": [{"pattern": "secret"}]}).suppress
    assert rules == (
        SuppressRule(prefix="### Task:"),
        SuppressRule(header="x-no-log: true"),
        SuppressRule(pattern="secret"),
    )


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("port", "abc"),
        ("port", 70000),
        ("port", True),
        ("host", "a b"),
        ("sample", 2),
        ("timeouts", {"idle": -1}),
        ("timeouts", 3),
        ("allowedOrigins", ["*"]),
        ("allowedHosts", "localhost"),
        ("onClientDisconnect", "cancle"),
        ("recordRaw", "never"),
        ("token", 12345678),
        ("huggingface_repo", "no-owner"),
        ("suppress", [{}]),
        ("suppress", [{"pattern": "("}]),
        ("suppress", [{"modle": "x"}]),
        ("suppress", "x"),
        ("seal", {}),
        ("retention", 30),
        ("retention", {"days": 0}),
        ("retention", {"days": True}),
        ("retention", {"bytes": 1.5}),
        ("retention", {"weeks": 1}),
    ],
)
def test_bad_setting_gives_way_to_the_default(tmp_path: Path, key: str, given: Any) -> None:
    """A bad value is a warning at start, an error for validate, and the default is used."""
    models = [{"provider": "demo", "model": "m"}]
    path = write(tmp_path, {"models": models, key: given})
    loaded = config.load(path, env={}, known_providers=KNOWN)
    (warning,) = loaded.warnings
    assert key in warning
    assert "12345678" not in warning
    (problem,) = config.check(path, env={}, known_providers=KNOWN)
    assert problem.fatal
    assert problem.line is not None
    plain = load(tmp_path, {"models": models})
    assert all(getattr(loaded, row.field) == getattr(plain, row.field) for row in SETTINGS)
    assert (loaded.suppress, loaded.timeouts, loaded.token) == (
        plain.suppress,
        plain.timeouts,
        None,
    )


def test_environment_overrides_the_file(tmp_path: Path) -> None:
    """DOLPHIN_LOGGER_* is stronger than PORT, which is stronger than the file."""
    value = {"models": [], "port": 1, "sample": 1}
    assert load(tmp_path, value, PORT="2").port == 2
    assert load(tmp_path, value, PORT="2", DOLPHIN_LOGGER_PORT="3").port == 3
    assert load(tmp_path, value, PORT="x").port == 1
    loaded = load(
        tmp_path,
        value,
        DOLPHIN_LOGGER_HOST="0.0.0.0",
        DOLPHIN_LOGGER_TOKEN="ENV:T",
        T="secret",
        DOLPHIN_LOGGER_ALLOWED_HOSTS="a, b:1",
        DOLPHIN_LOGGER_TIMEOUTS_FIRST_BYTE="7.5",
        DOLPHIN_LOGGER_ON_CLIENT_DISCONNECT="drain",
        DOLPHIN_LOGGER_SAMPLE="0.25",
        DOLPHIN_LOGGER_HUGGINGFACE_REPO="a/b",
        DOLPHIN_LOGGER_SEAL="false",
        DOLPHIN_LOGGER_RETENTION='{"days": 3}',
        DOLPHIN_LOGGER_SUPPRESS='[{"path": "/v1/x*"}]',
    )
    assert (loaded.seal, loaded.retention) == (False, Retention(days=3))
    assert (loaded.host, loaded.token, loaded.allowed_hosts) == (
        "0.0.0.0",
        Secret("secret"),
        ("a", "b:1"),
    )
    assert (loaded.timeouts.first_byte, loaded.sample) == (7.5, 0.25)
    assert (loaded.on_client_disconnect, loaded.huggingface_repo) == ("drain", "a/b")
    assert loaded.suppress[-1] == SuppressRule(path="/v1/x*")


def test_bad_variable_is_named_and_ignored(tmp_path: Path) -> None:
    """A variable with a bad value, or nearly the name of a setting, is named in a warning."""
    loaded = load(
        tmp_path,
        {"models": [], "port": 7},
        DOLPHIN_LOGGER_PORT="tcp://10.0.0.1:5001",
        DOLPHIN_LOGGER_ALOWED_HOSTS="x",
        DOLPHIN_LOGGER_HOME="/x",
    )
    assert loaded.port == 7
    assert any(
        "DOLPHIN_LOGGER_PORT" in said and "enableServiceLinks" in said for said in loaded.warnings
    )
    assert any("DOLPHIN_LOGGER_ALOWED_HOSTS" in said for said in loaded.warnings)
    assert len(loaded.warnings) == 2


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ('{"models": [\n1,\n]}', ":", "remove the comma"),
        ('{\n// mine\n"models": []}', ":2:", "no comments"),
        ("{\n“models”: []}", ":2:", "typographic"),
        ("{'models': []}", ":1:", "double quotes"),
        ('{"models": True}', ":1:", "true, false and null"),
        ('{"models": []\n"port": 1}', ":2:", "missing before"),
        ('{"models": "a\nb"}', ":1:", "not closed"),
        ('{"models": []}}', ":1:", "after the closing"),
        ('{"models": [', ":1:", "too early"),
        ("", ":1:", "empty"),
        ("[]", ":1:", "must be a JSON object"),
        ('{"a": ' + "[" * 200_000, "", "nested too deeply"),
        ('{"a": ' + "1" * 5000 + "}", "", "too long"),
    ],
)
def test_broken_json_is_explained(tmp_path: Path, text: str, place: str, hint: str) -> None:
    """A file that is no JSON object stops the program with the line and the probable cure."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        config.load(path, env={}, known_providers=KNOWN)
    assert str(caught.value).startswith(str(path) + place)
    assert hint in str(caught.value)
    (problem,) = config.check(path, env={}, known_providers=KNOWN)
    assert problem.fatal


@given(
    st.integers(0, 200), st.sampled_from(['"apiKey": "{}"', "apiKey: '{}',", '"k"\n:"{}"', '"{}'])
)
def test_no_piece_of_a_broken_file_shows_a_key(
    tmp_path_factory: pytest.TempPathFactory, cut: int, line: str
) -> None:
    """Wherever a file is broken, the message holds no part of a key."""
    text = '{"models": [{"provider": "openai", ' + line.replace("{}", CANARY) + ', "model": "m"}]}'
    path = write(tmp_path_factory.mktemp("c"), text[:cut] + "@" + text[cut:])
    for problem in config.check(path, env={}, known_providers=KNOWN):
        assert "canary" not in problem.message
        assert "7f3a" not in problem.message


def test_other_files_than_text_are_refused(tmp_path: Path) -> None:
    """Not UTF-8, a folder and a missing file are configuration errors with a cure."""
    path = write(tmp_path, "{}")
    path.write_bytes(b'{\n"a": "\xff"}')
    with pytest.raises(ConfigError, match=r":2: is not UTF-8"):
        config.load(path, env={}, known_providers=KNOWN)
    with pytest.raises(ConfigError):
        config.load(tmp_path, env={}, known_providers=KNOWN)
    with pytest.raises(ConfigError, match="dolphin-logger init"):
        config.load(tmp_path / "none.json", env={}, known_providers=KNOWN)


def test_byte_order_mark_is_tolerated(tmp_path: Path) -> None:
    """A file with a byte order mark loads."""
    assert load(tmp_path, '\ufeff{"models": [{"provider": "demo", "model": "m"}]}').models


def test_repeated_keys_are_warned_of(tmp_path: Path) -> None:
    """The last of two equal keys counts, and the second one's line is named."""
    loaded = load(tmp_path, '{"port": 1,\n"models": [],\n"port": 2}')
    assert loaded.port == 2
    assert loaded.warnings[0].startswith("config.json:3: port: this key stands twice")


@pytest.mark.skipif(os.name != "posix", reason="POSIX modes")
@pytest.mark.parametrize(
    ("key", "warned"), [(CANARY, True), ("ENV:K", False), ("PASSTHROUGH", False)]
)
def test_readable_file_with_a_key_is_warned_of(tmp_path: Path, key: str, warned: bool) -> None:
    """A literal key in a file that others can read is warned of, with the cure."""
    value = {"models": [{"provider": "openai", "model": "m", "apiKey": key}]}
    path = write(tmp_path, value)
    path.chmod(0o644)
    warnings = config.load(path, env={"K": "x"}, known_providers=KNOWN).warnings
    assert [f"chmod 600 {path}" in said for said in warnings] == ([True] if warned else [])


def test_check_wants_a_usable_model(tmp_path: Path) -> None:
    """Validation fails when nothing could be served, and passes on a good file."""
    path = write(tmp_path, {"models": []})
    assert [p.where for p in config.check(path, env={}, known_providers=KNOWN)] == ["models"]
    path = write(tmp_path, {"models": [{"provider": "demo", "model": "m"}]})
    assert config.check(path, env={}, known_providers=KNOWN) == []


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_template_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    """The first start's folder is 0700, its files 0600, and the file is valid without a warning."""
    path = tmp_path / "home" / "config.json"
    before = os.umask(umask)
    try:
        assert config.create_template(path)
    finally:
        os.umask(before)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (path.parent, *path.parent.iterdir())}
    assert modes == {"home": 0o700, "config.json": 0o600, "config.schema.json": 0o600}
    assert config.check(path, env={}, known_providers=KNOWN) == []
    assert [e.provider for e in config.load(path, env={}, known_providers=KNOWN).models] == ["demo"]


def test_template_examples_work_when_copied(tmp_path: Path) -> None:
    """Each example, moved into models, is a usable entry."""
    path = tmp_path / "home" / "config.json"
    config.create_template(path)
    examples = list(json.loads(path.read_text())["_examples"].values())
    assert len(load(tmp_path, {"models": examples}).models) == len(examples) >= 5


def test_template_is_created_once_by_many(tmp_path: Path) -> None:
    """Of many starters one creates the file, and an existing one is never touched."""
    path = tmp_path / "home" / "config.json"
    results: list[bool] = []
    threads = [
        threading.Thread(target=lambda: results.append(config.create_template(path)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 7 + [True]
    path.write_text("mine")
    assert not config.create_template(path)
    assert path.read_text() == "mine"


def test_home_follows_the_environment() -> None:
    """DOLPHIN_LOGGER_HOME moves everything; a tilde is the user's home."""
    assert config.home({"HOME": "/u"}) == Path("/u/.dolphin-logger")
    assert config.home({"HOME": "/u", "DOLPHIN_LOGGER_HOME": "/d"}) == Path("/d")
    assert config.home({"HOME": "/u", "DOLPHIN_LOGGER_HOME": "~/d"}) == Path("/u/d")
    assert config.home({"HOME": "/u", "DOLPHIN_LOGGER_HOME": ""}) == Path("/u/.dolphin-logger")


def test_schema_and_page_know_every_key() -> None:
    """The schema and the reference page list exactly what the loader accepts."""
    schema = config.json_schema(KNOWN)
    assert set(schema["properties"]) == KEYS | {"$schema"}
    assert schema["properties"]["models"]["items"]["properties"]["provider"]["enum"] == sorted(
        KNOWN
    )
    page = (Path(__file__).parents[2] / "docs/reference/config.md").read_text("utf-8")
    assert [key for key in KEYS if f"`{key}`" not in page] == []
    assert [row.key for row in SETTINGS if spell(row.key) not in page] == []
    assert spell("onClientDisconnect") == "DOLPHIN_LOGGER_ON_CLIENT_DISCONNECT"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=5), VALUES), st.sampled_from([None, 0, 2]))
def test_every_value_is_found_on_its_line(value: dict[str, Any], indent: int | None) -> None:
    """The walk finds each path of the value, in order; a marked one on the line of its mark."""
    value["mark"] = {"deep": [0, {"x": 'here, {not} " ,: there'}]}
    text = json.dumps(value, indent=indent)
    assert line_of(text, ("mark", "deep", 1, "x")) == text[: text.rindex('"x"')].count("\n") + 1
    assert [place.path for place in walk(text)] == list(paths(value, ()))
    assert not any(place.repeated for place in walk(text))


def paths(value: Any, at: tuple[str | int, ...]) -> Any:
    """Yield every path of a value, in order."""
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for key, member in members:
        yield (*at, key)
        yield from paths(member, (*at, key))


@given(st.dictionaries(st.sampled_from([*sorted(KEYS), "x"]), VALUES) | st.just({}), VALUES)
def test_no_value_breaks_the_loader(
    tmp_path_factory: pytest.TempPathFactory, value: dict[str, Any], entry: Any
) -> None:
    """Whatever JSON object the file holds, loading ends with a Config."""
    value.setdefault("models", [entry, {"provider": entry, "model": entry, "headers": entry}])
    path = write(tmp_path_factory.mktemp("c"), value)
    loaded = config.load(path, env={}, known_providers=KNOWN)
    assert isinstance(loaded.port, int)
