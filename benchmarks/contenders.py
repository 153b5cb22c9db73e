"""Contenders: how each proxy under comparison is installed, configured and started.

Knows nothing about what is measured. Invariant: a contender writes only below the folder it is given (its home too),
plus its virtual environment in build/, so nobody's own configuration or recordings are touched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
SOURCE = HERE.parent / "src"
ORIGINAL = "dolphin-logger==0.2.2"
LITELLM = "litellm[proxy]"
INSTALL_LIMIT_S = 1200


@dataclass(frozen=True)
class Place:
    """Where one contender lives during a run."""

    folder: Path
    port: int
    provider_port: int


@dataclass(frozen=True)
class Start:
    """How to start it, once its configuration is written."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Contender:
    """One column of the tables. `paced` is how many streams it is asked to keep at 50/s and at 10/s."""

    name: str
    prepare: Callable[[Place], Start] | None  # None: the client asks the provider itself
    missing: Callable[[], str | None]
    health: str = "/health"
    slow: bool = False
    paced: tuple[int, int] = (300, 1000)
    logs: str | None = None  # where its recordings are, below its folder

    def environment(self, place: Place, start: Start) -> dict[str, str]:
        """The caller's environment without proxies and keys, with a home of its own."""
        kept = {
            name: os.environ[name]
            for name in ("PATH", "LANG", "LC_ALL", "TMPDIR")
            if name in os.environ
        }
        return kept | {"HOME": str(place.folder)} | start.environment


def model_list(place: Place) -> str:
    """A config.json of dolphin-logger, then and now, with the fake provider as its only model."""
    model = {
        "provider": "openai",
        "providerModel": "bench",
        "model": "bench",
        "apiBase": f"http://127.0.0.1:{place.provider_port}/v1",
        "apiKey": "k",
    }
    return json.dumps({"models": [model]})


def nothing_missing() -> None:
    return None


# ---- nginx: what a proxy costs that only relays ----

NGINX = """
{user}
daemon off;
worker_processes 1;
pid nginx.pid;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    client_body_buffer_size 256k; client_max_body_size 64m;
    tcp_nodelay on; keepalive_requests 1000000000;
    upstream provider {{ server 127.0.0.1:{provider_port}; keepalive 2048; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_buffering off; proxy_read_timeout 300s;
        }}
    }}
}}
"""


def find_nginx() -> str | None:
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def nginx_missing() -> str | None:
    return None if find_nginx() else "nginx is not installed (Debian: apt-get install nginx-light)"


def prepare_nginx(place: Place) -> Start:
    user = "user root root;" if os.geteuid() == 0 else ""
    configuration = place.folder / "nginx.conf"
    configuration.write_text(
        NGINX.format(user=user, port=place.port, provider_port=place.provider_port)
    )
    prefix = str(place.folder) + "/"
    return Start(
        [find_nginx() or "nginx", "-p", prefix, "-c", str(configuration), "-e", "error.log"]
    )


# ---- this tree, recording on ----


def own_environment() -> dict[str, str]:
    return {"PYTHONPATH": str(SOURCE)}


def own_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dolphin_logger", *arguments]


def own_missing() -> str | None:
    done = subprocess.run(
        own_command("--help"),
        check=False,
        env=dict(os.environ) | own_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return (
        None
        if done.returncode == 0
        else f"does not start: {(done.stderr.strip().splitlines() or ['?'])[-1]}"
    )


def prepare_own(place: Place) -> Start:
    (place.folder / "config.json").write_text(model_list(place))
    environment = own_environment() | {"DOLPHIN_LOGGER_HOME": str(place.folder)}
    return Start(own_command("serve", "--port", str(place.port), "--no-ui"), environment)


# ---- the original, from PyPI ----


def install(name: str, requirement: str) -> str | None:
    """Make build/venv-NAME with `requirement` unless it is there; the reason when that fails."""
    home = BUILD / f"venv-{name}"
    ready = home / "installed"
    if ready.exists() and ready.read_text() == requirement:
        return None
    print(f"installing {requirement} …", flush=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, timeout=120)
        pip = [
            str(home / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            *requirement.split(),
        ]
        subprocess.run(pip, check=True, timeout=INSTALL_LIMIT_S, capture_output=True, text=True)
    except (subprocess.SubprocessError, OSError) as error:
        return f"could not install {requirement}: {error}"
    ready.write_text(requirement)
    return None


def installed_version(name: str, package: str) -> str:
    code = f"from importlib.metadata import version; print(version({package!r}))"
    python = BUILD / f"venv-{name}" / "bin" / "python"
    return subprocess.run(
        [python, "-c", code], check=False, capture_output=True, text=True, timeout=60
    ).stdout.strip()


def prepare_original(place: Place) -> Start:
    home = place.folder / ".dolphin-logger"
    home.mkdir(exist_ok=True)
    (home / "config.json").write_text(model_list(place))
    return Start(
        [str(BUILD / "venv-original" / "bin" / "dolphin-logger")], {"PORT": str(place.port)}
    )


# ---- the stack that the design proposed: uvicorn and pyreqwest ----


def prepare_proposed(place: Place) -> Start:
    python = str(BUILD / "venv-proposed" / "bin" / "python")
    options = ["--port", str(place.port), "--no-access-log", "--log-level", "error"]
    command = [python, "-m", "uvicorn", "--app-dir", str(HERE), "proposed_stack:app", *options]
    provider = f"http://127.0.0.1:{place.provider_port}/v1/chat/completions"
    return Start([*command, "--loop", "uvloop", "--http", "httptools"], {"PROVIDER": provider})


# ---- LiteLLM ----


def prepare_litellm(place: Place) -> Start:
    parameters = {
        "model": "openai/bench",
        "api_base": f"http://127.0.0.1:{place.provider_port}/v1",
        "api_key": "k",
    }
    configuration = place.folder / "config.yaml"  # JSON is YAML
    configuration.write_text(
        json.dumps({"model_list": [{"model_name": "bench", "litellm_params": parameters}]})
    )
    command = [str(BUILD / "venv-litellm" / "bin" / "litellm"), "--config", str(configuration)]
    environment: Mapping[str, str] = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # no download at start
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",  # no key to check: the fastest it can be
        "LITELLM_LOG": "ERROR",
    }
    return Start([*command, "--host", "127.0.0.1", "--port", str(place.port)], dict(environment))


DIRECT = Contender("direct", None, nothing_missing)
NGINX_PROXY = Contender("nginx", prepare_nginx, nginx_missing)
OWN = Contender("dolphin-logger", prepare_own, own_missing, logs="logs")
ORIGINAL_PROXY = Contender(
    "original",
    prepare_original,
    lambda: install("original", ORIGINAL),
    slow=True,
    paced=(100, 300),
    logs=".dolphin-logger/logs",
)
PROPOSED = Contender(
    "proposed", prepare_proposed, lambda: install("proposed", "pyreqwest uvicorn uvloop httptools")
)
LITELLM_PROXY = Contender(
    "litellm",
    prepare_litellm,
    lambda: install("litellm", LITELLM),
    health="/health/liveliness",
    slow=True,
    paced=(4, 15),
)


def versions(chosen: list[Contender]) -> dict[str, str]:
    """The versions of the other programs in the run."""
    found = {}
    for contender in chosen:
        if contender is NGINX_PROXY:
            command = [find_nginx() or "nginx", "-v"]
            found["nginx"] = subprocess.run(
                command, check=False, capture_output=True, text=True, timeout=10
            ).stderr.strip()
        elif contender is ORIGINAL_PROXY:
            found["original"] = installed_version("original", "dolphin-logger")
        elif contender is LITELLM_PROXY:
            found["litellm"] = installed_version("litellm", "litellm")
    return found
