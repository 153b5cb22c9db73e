"""The program's entry: `dolphin-logger` and `python -m dolphin_logger`.

It answers `--version` before anything else is imported and leaves the rest to the command line.
"""

from __future__ import annotations

import sys

from dolphin_logger._version import __version__


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"], ["version"]):
        print(f"dolphin-logger {__version__}")  # noqa: T201 -- the answer itself
        return
    from dolphin_logger.cli import main as command_line  # noqa: PLC0415 -- click costs 40 ms

    command_line(prog_name="dolphin-logger")


if __name__ == "__main__":
    main()
