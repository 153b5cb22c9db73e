"""Licenses: under which a dataset may be published, spelled as the Hub does.

Source: https://huggingface.co/docs/hub/repositories-licenses.
"""

from __future__ import annotations

from typing import Final

from dolphin_logger.errors import DatasetError

LICENSES: Final = {
    "apache-2.0": "Apache 2.0",
    "mit": "MIT",
    "cc-by-4.0": "Creative Commons Attribution 4.0",
    "cc-by-sa-4.0": "Creative Commons Attribution, share alike 4.0",
    "cc-by-nc-4.0": "Creative Commons Attribution, non-commercial 4.0",
    "cc0-1.0": "public domain (CC0)",
    "odc-by": "Open Data Commons Attribution",
    "odbl": "Open Database License",
    "other": "another one, said in the card",
    "unknown": "not decided",
}


def check_license(name: str) -> str:
    """Take the name of a license as the Hub spells it.

    Raises:
        DatasetError: it is none that we know.
    """
    if name not in LICENSES:
        raise DatasetError(f"license {name!r}: known are {', '.join(LICENSES)}")
    return name
