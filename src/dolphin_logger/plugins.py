"""Plugins: objects of strangers under an entry point, for every socket that others may add to.

A plugin is imported only when a name is asked for: this process holds API keys. It knows entry points,
not what the sockets promise. Invariant: whatever a stranger's module raises comes out as our error.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.errors import DolphinError


def load_plugin(
    group: str, name: str, *, what: str, promise: Any, error: type[DolphinError]
) -> Any | None:
    """Load the plugin of a group that has this name; None where there is none.

    `what` is the noun for messages (`redactor`); `promise` the protocol, or several, that it keeps.

    Raises:
        DolphinError: of the given type: its module fails, or it does not keep the promise.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415  # slow, and rarely needed

    for point in entry_points(group=group, name=name):
        try:
            loaded = point.load()
            found = loaded() if isinstance(loaded, type) else loaded
        except Exception as fault:
            raise error(f"{what} {name!r}: its plugin {point.value} fails: {fault!r}") from fault
        if isinstance(found, promise) and found.name == name:
            return found
        article = "an" if what[0] in "aeio" else "a"
        raise error(
            f"{what} {name!r}: its plugin {point.value} does not keep the promise of {article} {what}"
        )
    return None
