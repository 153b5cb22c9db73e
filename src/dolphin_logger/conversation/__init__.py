"""Conversations: turns joined by content and by the ids that clients send.

    turn        what is needed of one record, as hashes     canonical   what stays of a message
    links       the rules by which a turn hangs on          asides      marks of clients' own requests
    nodes       what is remembered, in small pieces         placement   what comes out
    stitcher    turns in, places out

It knows records only as fields and words that it is handed; no files, no wire languages.
"""

from __future__ import annotations

from dolphin_logger.conversation.canonical import canonical
from dolphin_logger.conversation.nodes import LATEST, MemoryNodes, Nodes, Placed
from dolphin_logger.conversation.placement import Conversation, Placement, Relation, gather
from dolphin_logger.conversation.stitcher import Stitcher, stitch
from dolphin_logger.conversation.turn import Turn, read_turn

__all__ = [
    "LATEST",
    "Conversation",
    "MemoryNodes",
    "Nodes",
    "Placed",
    "Placement",
    "Relation",
    "Stitcher",
    "Turn",
    "canonical",
    "gather",
    "read_turn",
    "stitch",
]
