"""One conversation in every language that can hold it: a thought, parallel calls, their results."""

from __future__ import annotations

import json
from typing import Any

ROME, OSLO = {"city": "Rome"}, {"city": "Oslo"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def function(identity: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Write a call as chat completions do."""
    called = {"name": "weather", "arguments": json.dumps(arguments)}
    return {"id": identity, "type": "function", "function": called}


CONVERSATIONS: dict[str, dict[str, Any]] = {
    "openai.chat": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Where is it warm?"}]},
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "Two cities.",
                "tool_calls": [function("call_1", ROME), function("call_2", OSLO)],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "sun"},
            {"role": "tool", "tool_call_id": "call_2", "content": "snow"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": "Tells it", "parameters": SCHEMA},
            }
        ],
    },
    "openai.responses": {
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Where is it warm?"}]},
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "Two cities."}],
            },
            {
                "type": "function_call",
                "call_id": "call_1",
                "name": "weather",
                "arguments": '{"city": "Rome"}',
            },
            {
                "type": "function_call",
                "call_id": "call_2",
                "name": "weather",
                "arguments": '{"city": "Oslo"}',
                "status": "completed",
            },
            {"type": "function_call_output", "call_id": "call_1", "output": "sun"},
            {"type": "function_call_output", "call_id": "call_2", "output": "snow"},
        ],
        "tools": [
            {
                "type": "function",
                "name": "weather",
                "description": "Tells it",
                "parameters": SCHEMA,
                "strict": True,
            }
        ],
    },
    "ollama.chat": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Where is it warm?"},
            {
                "role": "assistant",
                "content": "",
                "thinking": "Two cities.",
                "tool_calls": [
                    {
                        "id": "call_1",
                        "function": {"index": 0, "name": "weather", "arguments": ROME},
                    },
                    {
                        "id": "call_2",
                        "function": {"index": 1, "name": "weather", "arguments": OSLO},
                    },
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "sun"},
            {"role": "tool", "tool_call_id": "call_2", "content": "snow"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": "Tells it", "parameters": SCHEMA},
            }
        ],
    },
    "anthropic.messages": {
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "Where is it warm?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Two cities.", "signature": "EqQB"},
                    {"type": "tool_use", "id": "call_1", "name": "weather", "input": ROME},
                    {"type": "tool_use", "id": "call_2", "name": "weather", "input": OSLO},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": "sun"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "call_2",
                        "content": [{"type": "text", "text": "snow"}],
                    },
                ],
            },
        ],
        "tools": [{"name": "weather", "description": "Tells it", "input_schema": SCHEMA}],
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Where is it warm?"}]},
            {
                "role": "model",
                "parts": [
                    {"text": "Two cities.", "thought": True},
                    {
                        "functionCall": {"id": "call_1", "name": "weather", "args": ROME},
                        "thoughtSignature": "EqQB",
                    },
                    {"function_call": {"id": "call_2", "name": "weather", "args": OSLO}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {
                        "functionResponse": {
                            "id": "call_1",
                            "name": "weather",
                            "response": {"sky": "sun"},
                        }
                    },
                    {
                        "functionResponse": {
                            "id": "call_2",
                            "name": "weather",
                            "response": {"error": "away"},
                        }
                    },
                ],
            },
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "weather", "description": "Tells it", "parametersJsonSchema": SCHEMA}
                ]
            }
        ],
    },
}
