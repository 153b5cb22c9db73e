"""ATIF rows: a session as a trajectory of the Agent Trajectory Interchange Format, version 1.8.

Source: harborframework.com/docs/trajectory-format (RFC 0001). One row for each session; where it branched,
one more for each other end, with the steps that another row has marked as copied context and the same
`session_id`. Sub-agents are embedded where they were called for. What the format asks for and nobody knows
(an agent's version) is `unknown`. A picture stands by its address, also a `data:` one.
Invariant: every step that a model made is in exactly one row without the mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dolphin_logger.example import Json, Piece, Session, Unit
from dolphin_logger.exporters._api import Column, Options, Row, UnfitError
from dolphin_logger.exporters._content import calls_of, text_of
from dolphin_logger.exporters._trajectory import Trajectory, metrics_of, observe, write_steps
from dolphin_logger.exporters._tree import Node, ends_of, path_to, plant

_VERSION: Final = "ATIF-v1.8"
_UNKNOWN: Final = "unknown"


class Atif:
    """One row for each end of a session's branches; see the module."""

    name = "atif"
    unit = Unit.SESSION
    columns: Sequence[Column] = (
        Column("schema_version", "string"),
        Column("session_id", "string"),
        Column("trajectory_id", "string"),
        Column("agent", "json"),
        Column("steps", "list<json>"),
        Column("final_metrics", "json"),
        Column("subagent_trajectories", "list<json>"),
        Column("extra", "json"),
    )
    is_file_each = False

    def rows(self, piece: Piece, options: Options) -> Iterator[Row]:
        """Write one session.

        Raises:
            UnfitError: nothing was said in it, or it holds a role or a picture that the format cannot name.
        """
        assert isinstance(piece, Session)
        whole = _Whole(piece, plant(piece), options)
        written = whole.write_thread(None)
        if not written:
            raise UnfitError("nothing is said in it")
        # those that nobody is known to have called for
        lost: list[Row] = []
        while beginnings := whole.beginnings():
            lost += whole.write_thread(beginnings[0].thread)
        written[0]["subagent_trajectories"] += lost
        yield from written

    def beside(self, files: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Give nothing: no trainer here reads trajectories."""
        return {}


@dataclass(slots=True)
class _Whole:
    """A session while it is written; `told` holds the nodes that a trajectory has already."""

    session: Session
    nodes: list[Node]
    options: Options
    told: set[str] = field(default_factory=set)

    def write_thread(self, thread: str | None) -> list[Row]:
        """Write the trajectories of a thread, the one that it ended with first."""
        ends = ends_of(self.nodes, thread)
        return [
            self._write(end, name=self._name(thread) if end is ends[0] else end.id) for end in ends
        ]

    def beginnings(self) -> list[Node]:
        """Give the first node of each sub-agent that is in no trajectory yet."""
        seen: dict[str, Node] = {}
        for node in self.nodes:
            if node.thread is not None and node.id not in self.told:
                seen.setdefault(node.thread, node)
        return list(seen.values())

    def _name(self, thread: str | None) -> str:
        return self.session.id if thread is None else thread

    def _write(self, end: Node, *, name: str) -> Row:
        path = path_to(end, self.nodes)
        trajectory = write_steps(path, self.options, told=self.told)
        self.told |= {node.id for node in path}
        agents = self._embed(trajectory)
        return {
            "schema_version": _VERSION,
            "session_id": self.session.id,
            "trajectory_id": name,
            "agent": _agent(self.session, path),
            "steps": trajectory.steps,
            "final_metrics": metrics_of(trajectory.steps),
            "subagent_trajectories": agents,
            "extra": {
                "conversation": self.session.conversation,
                "metadata": self.session.metadata,
            },
        }

    def _embed(self, trajectory: Trajectory) -> list[Row]:
        """Write the sub-agents that a trajectory called for, and name them where it did."""
        embedded: list[Row] = []
        for first in self.beginnings():
            caller = trajectory.spoken.get(first.parent or "")
            if caller is not None:
                written = self.write_thread(first.thread)
                _refer(caller, self._calls(first), written[0])
                embedded += written
        return embedded

    def _calls(self, first: Node) -> list[str]:
        """Give the ids of the calls that a sub-agent may come from: those that hold its first words."""
        caller = next(node for node in self.nodes if node.id == first.parent)
        calls = calls_of(caller.chat)
        own = [node for node in self.nodes if node.thread == first.thread]
        words = next((text_of(node.chat) for node in own if node.chat["role"] == "user"), "")
        holding = [call for call in calls if words and words.strip() in _texts(call)]
        return [call["id"] for call in (holding or (calls if len(calls) == 1 else []))]


def _texts(call: Json) -> list[str]:
    arguments = call["function"]["arguments"].values()
    return [value.strip() for value in arguments if isinstance(value, str)]


def _refer(step: Json, calls: list[str], written: Row) -> None:
    """Name a sub-agent's trajectory at the result of its call, or at the step where no call is known."""
    reference = {
        "trajectory_id": written["trajectory_id"],
        "session_id": written["session_id"],
    }
    results = step.get("observation", {"results": []})["results"]
    for result in results:
        if result.get("source_call_id") in calls and "subagent_trajectory_ref" not in result:
            result["subagent_trajectory_ref"] = [reference]
            return
    named = {"source_call_id": calls[0]} if calls else {}
    observe(step, {**named, "subagent_trajectory_ref": [reference]})


def _agent(session: Session, path: list[Node]) -> Json:
    steps = [node.step for node in path]
    name = next((step.agent for step in steps if step.agent is not None), session.client)
    agent = {
        "name": name or _UNKNOWN,
        "version": session.metadata.get("client_version") or _UNKNOWN,
    }
    models = [node.step.model for node in path if node.is_answer and node.step.model is not None]
    if models:
        agent["model_name"] = models[0]
    tools = {tool["function"]["name"]: tool for step in steps for tool in step.tools}
    if tools:
        agent["tool_definitions"] = list(tools.values())
    return agent
