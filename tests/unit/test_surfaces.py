"""Paths: what each means, with every prefix that clients put in front, and what is refused."""

from __future__ import annotations

import pytest

from dolphin_logger.proxy.surfaces import Surface, allowed_methods, by_shape, find, take_apart

POSTS = {
    "/chat/completions": "openai.chat",
    "/responses": "openai.responses",
    "/responses/compact": "openai.responses",
    "/responses/input_tokens": "openai.responses",
    "/responses/resp_1/cancel": "openai.responses",
    "/messages": "anthropic.messages",
    "/messages/count_tokens": "anthropic.messages",
    "/completions": "openai.completions",
    "/embeddings": "openai.embeddings",
    "/audio/speech": "openai.audio",
    "/audio/transcriptions": "openai.audio",
    "/audio/translations": "openai.audio",
    "/images/generations": "openai.images",
    "/images/edits": "openai.images",
    "/images/variations": "openai.images",
    "/files": "openai.files",
}
GETS = {
    "/responses/resp_1": "openai.responses",
    "/responses/resp_1/input_items": "openai.responses",
    "/files": "openai.files",
    "/files/file-1": "openai.files",
    "/files/file-1/content": "openai.files",
}
DELETES = {"/responses/resp_1": "openai.responses", "/files/file-1": "openai.files"}
TABLE = [
    (method, path, dialect)
    for method, paths in (("POST", POSTS), ("GET", GETS), ("DELETE", DELETES))
    for path, dialect in paths.items()
]
WITHOUT_MODEL = ("/responses/", "/files")
FORMS = (
    "/audio/transcriptions",
    "/audio/translations",
    "/images/edits",
    "/images/variations",
    "/files",
)
OLLAMA = {
    "/api/chat": "ollama.chat",
    "/api/generate": "ollama.generate",
    "/api/embed": "ollama.embed",
    "/api/embeddings": "ollama.embed",
    "/api/show": "opaque",
}


def read(method: str, path: str) -> Surface | None:
    """Take a path apart and look it up, as the proxy does."""
    return find(method, take_apart(path))


@pytest.mark.parametrize("prefix", ["", "/v1", "/v1/v1", "/v1/v1/v1"])
@pytest.mark.parametrize("ours", ["", "/c/run-7", "/p/my-model", "/c/run-7/p/my-model"])
@pytest.mark.parametrize(("method", "path", "dialect"), TABLE)
def test_a_path_means_the_same_behind_every_prefix(
    method: str, path: str, dialect: str, ours: str, prefix: str
) -> None:
    """With, without and with a doubled /v1, behind a run and an entry: one surface, one full path."""
    surface = read(method, ours + prefix + path)
    assert surface is not None
    assert (surface.dialect, surface.path, surface.model) == (dialect, "/v1" + path, None)
    named = method == "POST" and (
        not path.startswith(WITHOUT_MODEL) or path.endswith(("compact", "input_tokens"))
    )
    assert surface.named == named
    assert surface.multipart == (method == "POST" and path in FORMS)


def test_prefixes_are_taken_off_in_their_order() -> None:
    """`/c/<run>` first, then `/p/<entry>`; both may hold escapes."""
    place = take_apart("/c/my%20run/p/claude%2Fopus*/v1/messages")
    assert (place.run, place.entry, place.path) == ("my run", "claude/opus*", "/v1/messages")
    assert take_apart("/c/run/openai/v1/chat/completions").path == "/v1/chat/completions"
    turned = take_apart("/p/a/c/b/v1/messages")
    assert (turned.run, turned.entry, turned.path) == (None, "a", "/c/b/v1/messages")
    for bare in ("/c/x", "/p/x", "/c//v1/messages", "/p//v1/messages", "/cc/x/v1/messages"):
        assert take_apart(bare).path == bare


@pytest.mark.parametrize("path", ["/v1" + path for path in {**POSTS, **GETS}])
@pytest.mark.parametrize(
    "method", ["PUT", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "PROPFIND"]
)
def test_a_known_path_is_not_served_with_another_method(method: str, path: str) -> None:
    """Nor is it taken for an opaque one; the methods that it has are listed."""
    assert read(method, path) is None
    allowed = allowed_methods(take_apart(path)).split(", ")
    assert method not in allowed
    assert {m for m in ("GET", "POST", "DELETE") if read(m, path)} == set(allowed)


@pytest.mark.parametrize(("path", "dialect"), OLLAMA.items())
def test_ollama_paths_stay_as_they_are(path: str, dialect: str) -> None:
    """Ollama's own paths, also where OLLAMA_HOST was given with a /v1."""
    for prefix in ("", "/v1", "/c/run", "/p/llama"):
        surface = read("POST", prefix + path)
        assert surface is not None
        assert (surface.dialect, surface.path) == (dialect, path)


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("gemini-3-pro", "gemini-3-pro"),
        ("models/gemini-3-pro", "gemini-3-pro"),
        ("google/gemini-3:free", "google/gemini-3:free"),
        ("google%2Fgemini-3", "google/gemini-3"),
        ("with%20space", "with space"),
    ],
)
@pytest.mark.parametrize(
    "action",
    [
        "generateContent",
        "streamGenerateContent",
        "countTokens",
        "embedContent",
        "batchEmbedContents",
    ],
)
def test_gemini_names_its_model_in_the_path(
    version: str, name: str, model: str, action: str
) -> None:
    """Names with slashes, escaped slashes and colons are read whole, and written with escapes."""
    for prefix in ("", "/v1", "/c/run", "/p/entry"):
        surface = read("POST", f"{prefix}/{version}/models/{name}:{action}")
        assert surface is not None
        assert (surface.dialect, surface.model) == ("gemini", model)
        assert surface.asks_stream == (action == "streamGenerateContent")
        assert surface.path_for("g/x y") == f"/{version}/models/g/x%20y:{action}"


def test_gemini_tuned_models_keep_their_collection() -> None:
    """`tunedModels/x` is a name of its own."""
    surface = read("POST", "/v1beta/tunedModels/mine:generateContent")
    assert surface is not None
    assert surface.model == "tunedModels/mine"
    assert surface.path_for(surface.model) == "/v1beta/tunedModels/mine:generateContent"


PAGES = [
    "/",
    "/health",
    "/models",
    "/v1/models",
    "/v1/v1/models",
    "/v1beta/models",
    "/v1/models/gpt-5",
    "/v1/models/org/name",
    "/api/tags",
    "/api/version",
    "/api/ps",
    "/v1",
    "/chat",
    "/nowhere",
    "/favicon.ico",
]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_pages_and_other_places_are_no_calls(method: str, path: str) -> None:
    """Model lists and probes are ours; what belongs to no vendor is nobody's."""
    assert read(method, path) is None


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/v1/vector_stores/vs_1/files",
        "/v1/batches",
        "/v1/messages/batches/msgbatch_1",
        "/v1beta/cachedContents",
        "/api/pull",
        "/p/m/anything/at/all",
        "/p/m/v1/models",
        "/c/r/p/m/health",
    ],
)
def test_other_paths_of_a_vendor_are_opaque(method: str, path: str) -> None:
    """They pass with the path that they came with, the prefixes of ours taken off."""
    surface = read(method, path)
    assert surface is not None
    assert (surface.dialect, surface.named) == ("opaque", False)
    assert surface.path == take_apart(path).path


HOSTILE = [
    "/v1/../admin",
    "/v1/./x",
    "/v1/responses/..",
    "/v1/responses/%2e%2e",
    "/v1/responses/.%2E/x",
    "/v1/files/..%2f..%2fadmin",
    "/v1/files/..\\admin",
    "/v1/files/..%5cadmin",
    "/v1//evil.example/x",
    "/v1/x//y",
    "/v1/x%00y",
    "/v1/x\x7fy",
    "/v1/\xe9",
    "/v1/x y",
    "/v1/x#y",
    "/v1/" + "x" * 5000,
    "/api/../admin",
    "/v1beta/models/../../x:generateContent",
    "/v1beta/models/%2e%2e%2fx:generateContent",
]


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: path[:30])
@pytest.mark.parametrize("prefix", ["", "/p/m", "/c/r", "/c/r/p/m"])
def test_a_path_that_could_lead_elsewhere_is_no_call(prefix: str, path: str) -> None:
    """Nothing goes up a level, is read in two ways, or is longer than a path has reason to be."""
    for method in ("GET", "POST", "DELETE"):
        assert read(method, prefix + path) is None


@pytest.mark.parametrize(
    "path", ["/v1/files/a..b", "/v1/files/.hidden", "/v1/files/x%2Fy", "/v1/x/..."]
)
def test_dots_in_names_are_no_harm(path: str) -> None:
    """Only whole segments of one or two dots are refused."""
    assert read("GET", path) is not None


CHAT, RESPONSES, COMPLETIONS = "/v1/chat/completions", "/v1/responses", "/v1/completions"


@pytest.mark.parametrize(
    ("path", "body", "meant"),
    [
        (CHAT, {"input": "hi"}, RESPONSES),
        (CHAT, {"messages": [], "input": "x"}, CHAT),
        (CHAT, {}, CHAT),
        (RESPONSES, {"messages": []}, CHAT),
        (RESPONSES, {"input": [], "messages": []}, RESPONSES),
        (RESPONSES, {"prompt": {"id": "pmpt_1"}, "messages": []}, RESPONSES),
        (RESPONSES, {"input": "x"}, RESPONSES),
        (COMPLETIONS, {"messages": []}, CHAT),
        (COMPLETIONS, {"prompt": "x", "messages": []}, COMPLETIONS),
        ("/v1/messages", {"input": "x"}, "/v1/messages"),
        ("/v1/embeddings", {"messages": []}, "/v1/embeddings"),
    ],
)
def test_a_body_on_its_siblings_path_is_recognised(
    path: str, body: dict[str, object], meant: str
) -> None:
    """Responses bodies on the chat path, and the reverse, go where they belong; no other is moved."""
    surface = read("POST", path)
    assert surface is not None
    corrected = by_shape(surface, body)
    expected = read("POST", meant)
    assert expected is not None
    assert (corrected.path, corrected.dialect) == (expected.path, expected.dialect)
