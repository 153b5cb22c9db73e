"""A Hub to test against: a real HTTP server on loopback that keeps the Hub's rules.

    repository   commits, refs, pull requests, and who may do what     faults   what goes wrong when told to
    storage      large files: LFS objects and Xet's local store        server   the HTTP paths

The unmodified huggingface_hub drives it. Source of the rules: the Hub's API as that client uses it.
"""

from __future__ import annotations

from tests.support.hub.faults import Fault
from tests.support.hub.repository import PullRequest, Repository
from tests.support.hub.server import Hub, running_hub

__all__ = ["Fault", "Hub", "PullRequest", "Repository", "running_hub"]
