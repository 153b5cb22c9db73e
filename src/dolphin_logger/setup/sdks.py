"""Libraries, as data, and the union of their variables for a command of which nothing is known.

A library is wired by variables of the program that uses it, or by one argument in its code.
Source: each library's own code of the version in `tried_with`, else its documentation.
"""

from __future__ import annotations

from collections.abc import Mapping

from dolphin_logger.setup._api import Client, Template

_VENDORS = {  # variables that may hold the address of a gateway, in the order in which they count
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
    "anthropic": ("ANTHROPIC_API_URL", "ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
    "google": ("GOOGLE_GEMINI_BASE_URL", "GEMINI_API_BASE"),
    "ollama": ("OLLAMA_HOST", "OLLAMA_API_BASE", "OLLAMA_BASE_URL"),
    "groq": ("GROQ_BASE_URL",),
}
_KEYS = {  # without one of these the library refuses to start
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "google": "GEMINI_API_KEY",
    "groq": "GROQ_API_KEY",
}
_OPENAI: dict[str, Template] = {"OPENAI_BASE_URL": "{v1}", "OPENAI_API_BASE": "{v1}"}
_ANTHROPIC: dict[str, Template] = {"ANTHROPIC_BASE_URL": "{origin}"}
_GOOGLE: dict[str, Template] = {"GOOGLE_GEMINI_BASE_URL": "{origin}"}
_OLLAMA: dict[str, Template] = {"OLLAMA_HOST": "{origin}"}


def _sdk(
    name: str,
    title: str,
    variables: Mapping[str, Template],
    *,
    dialect: str = "openai.chat",
    vendors: tuple[str, ...] = ("openai",),
    by_hand: str = "",
    tried_with: str | None = None,
) -> Client:
    return Client(
        name=name,
        title=title,
        kind="sdk",
        page="sdks",
        dialect=dialect,
        vendors=vendors,
        variables=variables,
        dummy=_KEYS.get(vendors[0], ""),
        key_variables=(_KEYS[vendors[0]],) if vendors[0] in _KEYS else (),
        upstreams={vendor: _VENDORS.get(vendor, ()) for vendor in vendors},
        by_hand=by_hand,
        tried_with=tried_with,
    )


ANY = _sdk(
    "any",
    "the command",
    _OPENAI | _ANTHROPIC | _GOOGLE | _OLLAMA,
    vendors=("openai", "anthropic", "google", "ollama"),
)
OPENAI = _sdk(
    "openai-sdk",
    "OpenAI SDK",
    {"OPENAI_BASE_URL": "{v1}"},
    by_hand='OpenAI(base_url="{v1}")',
    tried_with="3.57.0 (Python)",
)
ANTHROPIC = _sdk(
    "anthropic-sdk",
    "Anthropic SDK",
    _ANTHROPIC,
    dialect="anthropic.messages",
    vendors=("anthropic",),
    by_hand='Anthropic(base_url="{origin}")',
    tried_with="2.14.0 (Python)",
)
GOOGLE_GENAI = _sdk(
    "google-genai",
    "Google Gen AI SDK",
    _GOOGLE,
    dialect="gemini",
    vendors=("google",),
    by_hand='genai.Client(http_options={"base_url": "{origin}"})',
    tried_with="3.6.1 (Python)",
)
OLLAMA = _sdk(
    "ollama",
    "Ollama",
    _OLLAMA | {"OLLAMA_BASE_URL": "{origin}", "OLLAMA_API_BASE": "{origin}"},
    dialect="ollama.chat",
    vendors=("ollama",),
    by_hand='ollama.Client(host="{origin}")',
    tried_with="0.6.3 (Python)",
)
LANGCHAIN = _sdk(
    "langchain",
    "LangChain",
    _OPENAI | _ANTHROPIC | {"ANTHROPIC_API_URL": "{origin}"},
    vendors=("openai", "anthropic"),
    by_hand='ChatOpenAI(base_url="{v1}"), ChatAnthropic(base_url="{origin}")',
    tried_with="langchain-openai 1.7.4, langchain-anthropic 1.7.10",
)
LLAMAINDEX = _sdk(
    "llamaindex",
    "LlamaIndex",
    _OPENAI | _ANTHROPIC,
    vendors=("openai", "anthropic"),
    by_hand='OpenAI(api_base="{v1}")',
    tried_with="llama-index-llms-openai 0.8.3",
)
LITELLM = _sdk(
    "litellm",
    "LiteLLM",
    _OPENAI | _ANTHROPIC | {"ANTHROPIC_API_BASE": "{origin}", "OLLAMA_API_BASE": "{origin}"},
    vendors=("openai", "anthropic", "ollama"),
    by_hand='completion(…, api_base="{v1}")',
    tried_with="1.110.2",
)
VERCEL = _sdk(
    "vercel-ai-sdk",
    "Vercel AI SDK",
    {"OPENAI_BASE_URL": "{v1}", "ANTHROPIC_BASE_URL": "{v1}"},
    dialect="openai.responses",
    vendors=("openai", "anthropic"),
    by_hand='createOpenAI({ baseURL: "{v1}" }); Google reads no variable:'
    ' createGoogleGenerativeAI({ baseURL: "{origin}/v1beta" })',
    tried_with="6.0.326",
)
PYDANTIC_AI = _sdk(
    "pydantic-ai",
    "Pydantic AI",
    {"OPENAI_BASE_URL": "{v1}", "OLLAMA_BASE_URL": "{v1}"} | _ANTHROPIC | _GOOGLE,
    vendors=("openai", "anthropic", "google", "ollama"),
    by_hand='OpenAIProvider(base_url="{v1}")',
    tried_with="2.31.1",
)
GROQ = _sdk(
    "groq-sdk",
    "Groq SDK",
    {"GROQ_BASE_URL": "{origin}"},
    vendors=("groq",),
    by_hand='Groq(base_url="{origin}")',
    tried_with="1.7.0 (Python)",
)
MISTRAL = _sdk(
    "mistral-sdk",
    "Mistral SDK",
    {},
    vendors=("mistral",),
    by_hand='Mistral(server_url="{origin}")',
)

SDKS = (
    OPENAI,
    ANTHROPIC,
    GOOGLE_GENAI,
    OLLAMA,
    LANGCHAIN,
    LLAMAINDEX,
    LITELLM,
    VERCEL,
    PYDANTIC_AI,
    GROQ,
    MISTRAL,
)
