"""What the wiring of one client is, as data; and what comes out of it for one run.

A template is a string with `{origin}` (no `/v1`), `{v1}` and `{model}` in it, or an object or list of
such, which is written as JSON. It knows no client and does nothing.
Invariant: a `Plan` names only variables and arguments; nothing in it edits a file of the user's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Template = str | bool | int | Mapping[str, "Template"] | tuple["Template", ...]
Format = Literal["json", "toml", "yaml", "dotenv"]
Kind = Literal["agent", "app", "sdk"]


@dataclass(frozen=True, slots=True)
class Place:
    """A file of a client: below the folder that a variable names, or below the usual one.

    `names` are tried in order; the first is the one to create.
    """

    variable: str
    folder: str
    names: tuple[str, ...]

    def path(self, environ: Mapping[str, str]) -> Path:
        """Say where the file is, or would be."""
        folder = environ.get(self.variable, "") if self.variable else ""
        paths = [expand(f"{folder or self.folder}/{name}", environ) for name in self.names]
        return next((path for path in paths if path.exists()), paths[0])


@dataclass(frozen=True, slots=True)
class Existing:
    """Where a client keeps what would decide its address: read, never written.

    `variable` is what the value at `path` stands for; None when an object of variables lies there.
    """

    place: Place
    format: Format
    path: tuple[str, ...]
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """What `connect` changes in one file.

    Attributes:
        values: template per path of keys; nothing else of the file is touched.
        whole: the file is ours alone; `values` are then all that is in it.
        additions: elements for lists, each with the path of its list.
        beginning: text that a file begins with when there is none yet.
        only_absent: paths that stay as they are when the user has set them.
        with_model: paths that are left out when no model is chosen.
    """

    place: Place
    format: Format
    values: Mapping[tuple[str, ...], Template] = field(default_factory=dict)
    whole: bool = False
    additions: tuple[tuple[tuple[str, ...], Template], ...] = ()
    beginning: str = ""
    only_absent: frozenset[tuple[str, ...]] = frozenset()
    with_model: frozenset[tuple[str, ...]] = frozenset()


@dataclass(frozen=True, slots=True)
class Client:
    """One client and how it is led through the proxy.

    Attributes:
        page: its page below docs/howto, without the ending.
        dialect: the wire language that it speaks.
        vendors: providers whose models it uses by its own login or key.
        programs: its names on PATH, or paths where installers put it.
        variables, arguments: templates of what a run sets.
        removed: variables that a run takes away.
        yields_to: arguments of the user's to which ours with the same name give way.
        model_variables, model_arguments: what `--model` sets.
        dummy: variable that gets a word when a model needs no key and the client insists on one.
        key_variables: variables of which one means that the user has a key.
        upstreams: variables that may hold the address of a gateway, by vendor.
        existing: the client's own files that may hold such an address.
        bypassed_by: variables, or `variable=value`, under which it talks to another service.
        wishes: what to say when neither the environment nor its files have a variable.
        adapt: for the rare client whose arguments and edits depend on its files.
        edits: what `connect` changes; empty when there is no file to change.
        needs_model: `connect` has to name a model, since the client lists them one by one.
        after: what to do once connected.
        by_hand: how it is wired where no variable or file does it.
        tried_with: the version that was tried; None: from its documentation.
    """

    name: str
    title: str
    kind: Kind
    page: str
    dialect: str
    vendors: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    install: str = ""
    variables: Mapping[str, Template] = field(default_factory=dict)
    arguments: tuple[Template, ...] = ()
    removed: tuple[str, ...] = ()
    yields_to: tuple[str, ...] = ()
    model_variables: Mapping[str, Template] = field(default_factory=dict)
    model_arguments: tuple[Template, ...] = ()
    dummy: str = ""
    key_variables: tuple[str, ...] = ()
    upstreams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    existing: tuple[Existing, ...] = ()
    bypassed_by: tuple[str, ...] = ()
    wishes: Mapping[str, str] = field(default_factory=dict)
    adapt: Callable[[Client, Circumstances], Client] | None = None
    edits: tuple[Edit, ...] = ()
    needs_model: bool = False
    after: str = ""
    by_hand: str = ""
    tried_with: str | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan depends on beside the client.

    Attributes:
        base: address of the proxy, with `/c/<run>` for a run; no final slash.
        model: a name of config.json that the client is to use.
        keyless: the model needs no key of the client's.
        environ: the environment that the client would get.
    """

    base: str
    environ: Mapping[str, str]
    model: str | None = None
    keyless: bool = False


def adapted(client: Client, given: Circumstances) -> Client:
    """Give a client as it is under the circumstances."""
    return client if client.adapt is None else client.adapt(client, given)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run sets.

    Attributes:
        arguments: to put before the user's own.
        notes: what the user should know.
    """

    variables: Mapping[str, str]
    removed: tuple[str, ...]
    arguments: tuple[str, ...]
    notes: tuple[str, ...]


def expand(path: str, environ: Mapping[str, str]) -> Path:
    """Expand `~` by the given environment."""
    first, _, rest = path.partition("/")
    if first == "~":
        return Path(environ.get("HOME") or Path.home()) / rest
    return Path(path)
