"""Runs the graphs of :mod:`agentinfra.workflow.workflow_builder` on a durable engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, cast

from agentinfra.core.errors import AgentInfraError, InputError, RunStopped
from agentinfra.workflow.execution import BaseEngine
from agentinfra.workflow.records import error_to_json
from agentinfra.workflow.workflow_builder import Inputs, Node, Workflow, in_order


async def run_workflow(
    workflow: Workflow, engine: BaseEngine, workflow_id: str, argument: Any, context: Any
) -> dict[str, Any]:
    """Run the workflow, or resume it where it stopped.

    Args:
        workflow: The graph.
        engine: Where it runs.
        workflow_id: Its id; the parts' ids are built from it.
        argument: JSON that every function finds as ``inputs["argument"]``.
        context: Any object; handed to every function, not recorded.

    Returns:
        The nodes' results by name.

    Raises:
        RunStopped: It was stopped; call again to go on.
        AgentInfraError: A step or a loop failed; what ran beside it was stopped.
    """
    return await _Runner(workflow, engine, workflow_id, context).run(argument)


class _Runner:
    """One run. Its functions are registered under the run's id, since they hold the run's context."""

    def __init__(self, workflow: Workflow, engine: BaseEngine, workflow_id: str, context: Any) -> None:
        self._workflow = workflow
        self._engine = engine
        self._id = workflow_id
        self._context = context

    async def run(self, argument: Any) -> dict[str, Any]:
        functions = self._functions()
        for name, function in functions.items():
            self._engine.register(name, function)
        try:
            return await self._engine.run(self._name(), self._id, argument)
        finally:
            for name in functions:
                self._engine.unregister(name)

    def _functions(self) -> dict[str, Callable[[Any], Awaitable[Any]]]:
        kinds = {"step": self._call, "each": self._each, "loop": self._loop}
        functions: dict[str, Callable[[Any], Awaitable[Any]]] = {self._name(): self._graph}
        for node in self._workflow.nodes:
            functions[self._name(node.name)] = partial(kinds[node.kind], node)
            functions[self._name(node.name, "part")] = partial(self._call, node)
        return functions

    def _name(self, *parts: str) -> str:
        return "/".join((f"{self._workflow.name}:{self._id}", *parts))

    async def _call(self, node: Node, inputs: Inputs) -> Any:
        return await node.run(inputs, self._context)

    async def _part(self, node: Node, part: str, inputs: Inputs) -> Any:
        return await self._engine.run(self._name(node.name, "part"), f"{self._id}/{node.name}/{part}", inputs)

    async def _graph(self, argument: Any) -> dict[str, Any]:
        async def start(name: str, results: Mapping[str, Any]) -> Any:
            # The inputs are everything before the node, not all that happens to be finished: a replay sees the same.
            inputs = {"argument": argument, **{other: results[other] for other in sorted(self._workflow.before(name))}}
            return await self._engine.run(self._name(name), f"{self._id}/{name}", inputs)

        return await _run_graph({node.name: node.after for node in self._workflow.nodes}, start)

    async def _loop(self, node: Node, inputs: Inputs) -> dict[str, Any]:
        until = cast("Callable[[Any], bool]", node.until)
        result, number, satisfied = None, 0, False
        while not satisfied and number < node.limit:
            number += 1
            result = await self._part(node, str(number), {**inputs, "round": number, "previous": result})
            satisfied = until(result)
        return {"result": result, "rounds": number, "satisfied": satisfied}

    async def _each(self, node: Node, inputs: Inputs) -> list[Any]:
        items = await self._engine.step("items", partial(_items, node, inputs))
        by_id = {_id(item, number): item for number, item in enumerate(items)}

        async def start(name: str, results: Mapping[str, Any]) -> Any:
            needed = {other: results[other] for other in _after(by_id[name])}
            failed = [other for other, result in needed.items() if _is_error(result)]
            given = {**inputs, "item": by_id[name], "dependencies": needed, "failed": failed}
            try:
                return await self._part(node, name, given)
            except RunStopped:
                raise
            except AgentInfraError as error:
                return {"error": error_to_json(error)}

        results = await _run_graph({name: _after(item) for name, item in by_id.items()}, start)
        return [results[name] for name in by_id]


async def _run_graph(
    graph: Mapping[str, Iterable[str]], start: Callable[[str, Mapping[str, Any]], Awaitable[Any]]
) -> dict[str, Any]:
    """Run every node as soon as those it needs are finished; the first error stops the others."""
    results: dict[str, Any] = {}
    tasks: dict[str, asyncio.Task[None]] = {}

    async def node(name: str) -> None:
        if graph[name]:
            await asyncio.wait([tasks[other] for other in graph[name]])
        if all(other in results for other in graph[name]):
            results[name] = await start(name, results)

    for name in graph:
        tasks[name] = asyncio.create_task(node(name))
    try:
        await _first_error(list(tasks.values()))
    finally:
        for task in tasks.values():
            task.cancel()
        if tasks:
            await asyncio.wait(tasks.values())
    return {name: results[name] for name in graph}


async def _first_error(tasks: list[asyncio.Task[None]]) -> None:
    if not tasks:
        return
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in tasks:
        if task in done:
            task.result()


async def _items(node: Node, inputs: Inputs) -> list[Any]:
    items = list(cast("Callable[[Inputs], Iterable[Any]]", node.over)(inputs))
    names = [_id(item, number) for number, item in enumerate(items)]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise InputError(f"Items of {node.name} share the id {', '.join(doubled)}")
    for name, item in zip(names, items, strict=True):
        unknown = [other for other in _after(item) if other not in names]
        if unknown:
            raise InputError(f"Item {name} of {node.name} comes after unknown {', '.join(unknown)}")
    in_order({name: _after(item) for name, item in zip(names, items, strict=True)}, f"{node.name}'s items")
    return items


def _id(item: Any, number: int) -> str:
    given = cast("Mapping[str, Any]", item).get("id") if isinstance(item, Mapping) else None
    return str(number if given is None else given)


def _after(item: Any) -> tuple[str, ...]:
    return tuple(cast("Mapping[str, Any]", item).get("after", ())) if isinstance(item, Mapping) else ()


def _is_error(result: Any) -> bool:
    return isinstance(result, Mapping) and "error" in cast("Mapping[str, Any]", result)
