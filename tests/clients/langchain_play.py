"""Run in an environment with LangChain: ask a vendor's model, with a tool, plain and streamed.

    langchain_play.py openai|anthropic|google

Prints the answers as JSON. Addresses and keys come from the environment, as in anybody's program.
"""

# ruff: noqa: T201 - a command: it prints
from __future__ import annotations

import json
import sys
from typing import Any

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool


@tool
def add(first: int, second: int) -> int:
    """Add two numbers."""
    return first + second


def make(vendor: str) -> Any:
    """Make the vendor's chat model, with nothing set that a program need not set."""
    if vendor == "openai":
        from langchain_openai import ChatOpenAI

        return ChatOpenAI(model="gpt-5.5", max_retries=0)
    if vendor == "anthropic":
        from langchain_anthropic import ChatAnthropic

        return ChatAnthropic(model="claude-sonnet-5", max_retries=0)
    from langchain_google_genai import ChatGoogleGenerativeAI

    return ChatGoogleGenerativeAI(model="gemini-3-flash", max_retries=1)


def main(vendor: str) -> None:
    """Let the model call the tool, give it the result, and have the end streamed."""
    model = make(vendor).bind_tools([add])
    messages: list[Any] = [HumanMessage("TASK-MAIN: how much are 20 and 22?")]
    first = model.invoke(messages)
    messages.append(first)
    messages += [
        ToolMessage(str(add.invoke(call["args"])), tool_call_id=call["id"])
        for call in first.tool_calls
    ]
    last = None
    for chunk in model.stream(messages):
        last = chunk if last is None else last + chunk
    assert last is not None
    print(json.dumps({"calls": first.tool_calls, "text": last.text, "usage": last.usage_metadata}))


main(sys.argv[1])
