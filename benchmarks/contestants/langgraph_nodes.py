"""langgraph with bare nodes: a model node, a tool node, and an edge that decides."""

from __future__ import annotations

import json
import operator
from typing import Annotated, Any, TypedDict

import task
from langgraph.graph import END, START, StateGraph

TOOLS = {function.__name__: function for function in task.TOOLS}


class State(TypedDict):
    """The conversation."""

    messages: Annotated[list[dict[str, Any]], operator.add]


async def model(state: State):
    """Call ``add`` first and answer after its result."""
    if state["messages"][-1]["role"] == "tool":
        return {"messages": [{"role": "assistant", "content": task.ANSWER}]}
    return {"messages": [{"role": "assistant", "calls": [{"name": "add", "arguments": task.ARGUMENTS}]}]}


async def tools(state: State):
    """Run what was called."""
    calls = state["messages"][-1]["calls"]
    results = [await TOOLS[call["name"]](**json.loads(call["arguments"])) for call in calls]
    return {"messages": [{"role": "tool", "content": str(result)} for result in results]}


def after_model(state: State):
    """To the tools where one was called."""
    return "tools" if state["messages"][-1].get("calls") else END


def make():
    """A compiled graph."""
    graph = StateGraph(State)
    graph.add_node("model", model)
    graph.add_node("tools", tools)
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", after_model)
    graph.add_edge("tools", "model")
    return graph.compile()


async def run(agent):
    """One run."""
    state = await agent.ainvoke({"messages": [{"role": "user", "content": task.QUESTION}]})
    return state["messages"][-1]["content"]
