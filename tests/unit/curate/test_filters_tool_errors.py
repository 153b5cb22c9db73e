"""Tool errors: which results are failures, and how many are too many."""

from __future__ import annotations

import pytest
from tests.support.filtered import calls, example, gives, says, user

from dolphin_logger.curate.filters import tool_errors
from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Example

FAILURES = [
    "Error: ENOENT: no such file or directory, open 'a.py'",
    "<tool_use_error>File has not been read yet.</tool_use_error>",
    "<error>timed out</error>",
    "fatal: not a git repository".replace("fatal:", "fatal error:"),
    "Error executing tool: bad argument",
    "FileNotFoundError: [Errno 2] No such file or directory: 'x'",
    "TypeError [ERR_INVALID_ARG_TYPE]: The path must be a string",
    'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nZeroDivisionError',
    "Exit code 1\nbash: pytst: command not found",
    "bash: line 1: pytst: command not found",
    "/bin/sh: 1: foo: not found",
    "Command failed with exit code 127",
    "Process exited with code 2\nOutput:\n…",
    '{"output": "", "metadata": {"exit_code": 1, "duration_seconds": 0.1}}',
    '{"error": "rate limited"}',
    '{"success": false, "message": "nope"}',
    "Permission denied",
    "String to replace not found in file.",
    "The user doesn't want to proceed with this tool use.",
    "Invalid arguments for tool edit",
    "❌ could not apply the patch",
    "Tool call failed: timeout",
]
RESULTS = [
    "1  import errors\n2  class Error(Exception): ...",
    "ok\nError: this line is of a log that was read",
    "errors.py\nexceptions.py",
    "Found 3 files with error handling",
    "Exit code 0\nall passed",
    '{"output": "Error: x", "metadata": {"exit_code": 0, "duration_seconds": 0.1}}',
    '{"error": null, "result": 5}',
    '{"success": true}',
    "Process exited with code 0\nOutput:\n1 failed, 20 passed",
    "failed.log  notes.txt",
    "The file has been updated.",
    "Error handling is described in chapter 4.",
    "",
]


@pytest.mark.parametrize("text", FAILURES)
def test_a_failure_is_known(text: str) -> None:
    """The usual ways in which agents are told of failures are known."""
    assert tool_errors.is_failure(text)


@pytest.mark.parametrize("text", RESULTS)
def test_a_result_that_speaks_of_errors_is_none(text: str) -> None:
    """Files, logs and searches that hold the word are results."""
    assert not tool_errors.is_failure(text)


def _session(*results: str) -> Example:
    messages = [user("Do it.")]
    for result in results:
        messages += [calls("run"), gives(result, call="run")]
    return example(*messages, says("Done."))


def test_sessions_whose_tools_mostly_failed_are_refused() -> None:
    """The reason counts; a share at the limit stays, and few results are not judged."""
    made = tool_errors.make(tool_errors.Settings(most=0.5))
    assert made is not None
    assert made.reason(_session("Error: a", "Error: b", "fine", "Error: c")) == (
        "3 of 4 results of tools are failures (75%), at most 50%"
    )
    assert made.reason(_session("Error: a", "fine", "fine", "Error: c")) is None
    assert made.reason(_session("Error: a", "Error: b", "Error: c")) is None
    assert made.reason(_session()) is None


def test_what_is_no_share_is_an_error() -> None:
    """A percentage is not taken for a share."""
    with pytest.raises(DatasetError, match=r"filters\.tool_errors: most 50: expected a share"):
        tool_errors.make(tool_errors.Settings(most=50))
    assert tool_errors.make(tool_errors.Settings()) is None
