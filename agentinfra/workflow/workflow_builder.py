"""A job as data: steps, fan-outs and bounded loops in a graph that runs on any durable engine.

::

    async def plan(inputs, context):
        return [{"id": "a"}, {"id": "b", "after": ["a"]}]

    async def write(inputs, context):
        return {"file": inputs["item"]["id"] + ".py", "needs": sorted(inputs["dependencies"])}

    async def report(inputs, context):
        return f"{len(inputs['write'])} files for {inputs['argument']}"

    workflow = (
        WorkflowBuilder("small job")
        .step("plan", plan)
        .each("write", lambda inputs: inputs["plan"], write)
        .step("report", report)
        .build()
    )
    results = await run_workflow(workflow, engine, "run-1", "an idea", context=None)
    results["report"]  # "2 files for an idea"

Every node, item and round is a workflow of its own on the engine, so that what runs side by side stays independent
when it is replayed, and what is finished is never run again. A function gets ``inputs``, the JSON results of
all nodes before it by name, with the run's ``argument``; and ``context``, whatever object the caller handed in, which
is not recorded. It may use the engine's steps itself. Its arguments must not depend on anything else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal

from agentinfra.core.errors import InputError

Inputs = Mapping[str, Any]
NodeFunction = Callable[[Inputs, Any], Awaitable[Any]]
RESERVED = frozenset({"argument", "item", "dependencies", "failed", "previous", "round"})


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a workflow.

    Attributes:
        name: Its name, under which later nodes find its result.
        kind: "step" runs once, "each" once for every item, "loop" until it is satisfied.
        run: What it runs.
        after: Names of the nodes that must be finished before.
        over: For "each": the items, from the inputs.
        until: For "loop": whether a round's result ends it.
        limit: For "loop": the largest number of rounds.
    """

    name: str
    kind: Literal["step", "each", "loop"]
    run: NodeFunction
    after: tuple[str, ...] = ()
    over: Callable[[Inputs], Sequence[Any]] | None = None
    until: Callable[[Any], bool] | None = None
    limit: int = 1


@dataclass(frozen=True, slots=True)
class Workflow:
    """A validated graph; ``nodes`` come in an order in which each follows those it needs."""

    name: str
    nodes: tuple[Node, ...]

    def to_dict(self) -> dict[str, Any]:
        """The graph as JSON, for display."""
        return {"name": self.name, "steps": [_shown(node) for node in self.nodes]}

    def before(self, name: str) -> frozenset[str]:
        """Names of all nodes that are finished when this one starts."""
        found: set[str] = set()
        for node in reversed(self.nodes):
            if node.name == name or node.name in found:
                found.update(node.after)
        return frozenset(found)


class WorkflowBuilder:
    """Builds a :class:`Workflow`, node by node; each method returns the builder.

    Args:
        name: The workflow's name; engines know its parts by it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[Node] = []

    def step(self, name: str, run: NodeFunction, *, after: str | Iterable[str] | None = None) -> WorkflowBuilder:
        """Add a node that runs once.

        Args:
            name: Its name.
            run: ``async (inputs, context) -> JSON``.
            after: What it follows: one name, several, or none with ``()``; by default the node added before it.
        """
        return self._add(Node(name, "step", run, self._after(after)))

    def each(
        self,
        name: str,
        over: Callable[[Inputs], Sequence[Any]],
        run: NodeFunction,
        *,
        after: str | Iterable[str] | None = None,
    ) -> WorkflowBuilder:
        """Add a node that runs once for every item, side by side; its result is the list of theirs, in order.

        An item that is an object may carry an ``id`` and, as ``after``, the ids of the items it waits for. Its inputs
        have, besides the usual, the ``item``, the results of those as ``dependencies`` by id, and as ``failed`` the
        ids of those that raised an error. An error does not stop the other items: in lists and dependencies it
        stands as ``{"error": {"type", "what", "why", "next_step"}}``.

        Args:
            name: Its name.
            over: The items, from the inputs; recorded, so that a replay works on the same ones.
            run: ``async (inputs, context) -> JSON`` for one item.
            after: As for :meth:`step`.
        """
        return self._add(Node(name, "each", run, self._after(after), over=over))

    def loop(
        self,
        name: str,
        run: NodeFunction,
        *,
        until: Callable[[Any], bool],
        limit: int,
        after: str | Iterable[str] | None = None,
    ) -> WorkflowBuilder:
        """Add a node that runs again until a round's result satisfies, at most ``limit`` times.

        The inputs of a round have, besides the usual, its number as ``round``, from 1, and the ``previous`` result.
        The node's result is ``{"result": the last round's, "rounds": how many, "satisfied": bool}``.

        Args:
            name: Its name.
            run: ``async (inputs, context) -> JSON`` for one round.
            until: Whether the result of a round is good enough; pure.
            limit: Largest number of rounds, at least 1.
            after: As for :meth:`step`.

        Raises:
            InputError: The limit is below 1.
        """
        if limit < 1:
            raise InputError(f"Loop {name} may run {limit} times", next_step="Give it a limit of 1 or more")
        return self._add(Node(name, "loop", run, self._after(after), until=until, limit=limit))

    def build(self) -> Workflow:
        """Check the graph and freeze it.

        Raises:
            InputError: A name is missing, doubled, reserved or unknown, or nodes wait for each other in a circle.
        """
        by_name = {node.name: node for node in self._nodes}
        for node in self._nodes:
            _check_name(node.name, [other.name for other in self._nodes].count(node.name))
            unknown = [name for name in node.after if name not in by_name]
            if unknown:
                raise InputError(f"{node.name} comes after unknown {', '.join(unknown)}")
        order = in_order({node.name: node.after for node in self._nodes}, f"Workflow {self._name}")
        return Workflow(self._name, tuple(by_name[name] for name in order))

    def _add(self, node: Node) -> WorkflowBuilder:
        self._nodes.append(node)
        return self

    def _after(self, after: str | Iterable[str] | None) -> tuple[str, ...]:
        if after is None:
            return (self._nodes[-1].name,) if self._nodes else ()
        return (after,) if isinstance(after, str) else tuple(after)


def in_order(graph: Mapping[str, Iterable[str]], where: str) -> tuple[str, ...]:
    """The names, each after those it needs.

    Raises:
        InputError: They need each other in a circle; its path is named.
    """
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        # graphlib names the circle from what comes first to what waits for it.
        path: list[str] = error.args[1]
        raise InputError(f"{where} has a circle: {' → '.join(path)}", next_step="Remove one of these") from error


def _check_name(name: str, times: int) -> None:
    if times > 1:
        raise InputError(f"The name {name} is used {times} times", next_step="Give every step its own name")
    if not name or "/" in name or name in RESERVED:
        raise InputError(
            f"A step cannot be called {name!r}", why=f"Without /, and none of {', '.join(sorted(RESERVED))}"
        )


def _shown(node: Node) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": node.name, "kind": node.kind, "after": list(node.after)}
    return {**shown, "limit": node.limit} if node.kind == "loop" else shown
