"""Texts with secrets, made from templates: `{w:20}` becomes 20 letters or digits drawn by chance.

No file of the project holds a secret in full, so that no scanner of a host takes a test for a leak.
"""

from __future__ import annotations

import random
import re
import string

CLASSES = {
    "d": string.digits,
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "l": string.ascii_lowercase,
    "n": string.ascii_lowercase + string.digits,
    "N": string.ascii_uppercase + string.digits,
    "t": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "z": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
    "w": string.ascii_letters + string.digits,
    "x": string.ascii_letters + string.digits + "_-",
    "b": string.ascii_letters + string.digits + "+/",
}
_ITEM = re.compile(r"\{(\w):(\d+)\}|\{s\}")


def expand(template: str, *, seed: int = 0) -> str:
    """Write out a template; the same seed gives the same text."""
    chance = random.Random(f"{seed} {template}")
    return _ITEM.sub(lambda item: _draw(item[1], int(item[2] or 0), chance), template)


def _draw(name: str | None, length: int, chance: random.Random) -> str:
    if name is None:
        return " "
    if name == "B":  # base64 of a name and a password, of so many characters
        import base64

        said = "me:" + "".join(chance.choices(CLASSES["w"], k=length * 3 // 4 - 3))
        return base64.b64encode(said.encode()).decode()
    letters = CLASSES[name]
    drawn = chance.choices(letters, k=length)
    for end in (0, -1):  # `-` or `+` at an end would be a boundary
        while not drawn[end].isalnum():
            drawn[end] = chance.choice(letters)
    if length >= 2 and name in "hnNwxbt":  # a letter and a digit at least, as any real one has
        drawn[length // 2] = chance.choice(string.digits if name != "t" else "234567")
    return "".join(drawn)
