"""Install the clients of this suite, in the versions that were tried, into one folder.

    install.py FOLDER [NAME …]

Without names all of them: `cli` (npm, 1.1 GB), `langchain` (0.2 GB), `transformers` (1.5 GB), `open-webui`
(7.4 GB). What is there in these versions is left alone. Knows nothing of what the tests do.
"""

# ruff: noqa: T201 - a command: it prints
from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENTS = {
    "langchain": [
        "langchain-openai==1.7.4",
        "langchain-anthropic==1.7.10",
        "langchain-google-genai==4.4.3",
    ],
    "transformers": ["torch==2.13.0", "transformers[serving]==5.24.0"],
    "open-webui": ["open-webui==0.12.4"],
}
# npm runs no install scripts that nobody has approved; these put the programs where they are started
SCRIPTS = {"@anthropic-ai/claude-code": "install.cjs", "opencode-ai": "postinstall.mjs"}


def install_cli(folder: Path) -> None:
    """Install the clients of the command line."""
    wanted, have = HERE / "package.json", folder / "package.json"
    if have.exists() and have.read_text() == wanted.read_text():
        return
    print("installing the command-line clients", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    have.unlink(missing_ok=True)
    staged = folder / "node_modules"
    if staged.exists():
        shutil.rmtree(staged)
    shutil.copy(wanted, have)
    try:
        _run("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", at=folder)
        for package, script in SCRIPTS.items():
            _run("node", script, at=staged / package)
    except subprocess.CalledProcessError:
        have.unlink()  # so that the next run begins again
        raise


def install_environment(folder: Path, name: str) -> None:
    """Build one environment of Python."""
    place = folder / "venvs" / name
    stamp, wanted = place / "installed", " ".join([sys.version, *ENVIRONMENTS[name]])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"installing {name}", flush=True)
    venv.create(place, with_pip=True, clear=True)
    for requirement in ENVIRONMENTS[name]:  # in this order: torch decides what the next one takes
        _run(str(place / "bin" / "python"), "-m", "pip", "install", "-qq", requirement, at=place)
    stamp.write_text(wanted)


def _run(*command: str, at: Path) -> None:
    subprocess.run(command, cwd=at, check=True, timeout=1800)


def main(folder: Path, names: list[str]) -> None:
    """Install what is asked for."""
    for name in names or ["cli", *ENVIRONMENTS]:
        if name == "cli":
            install_cli(folder)
        else:
            install_environment(folder, name)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
