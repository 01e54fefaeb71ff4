"""What a task's model hears of a person's words, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentinfra.core.events import EventDraft
from agentinfra.core.messages import ChatReply, ChatRequest, Text, assistant, system, user
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.steered_model import Instructions, SteeredModel, task_in

REQUEST = ChatRequest((system("You write code."), user("Write half."), assistant("ok")), purpose="code T-1")


class Slow(ScriptedModel):
    """Answers when it is let; what is withdrawn before counts."""

    def __init__(self) -> None:
        super().__init__([])
        self.heard: list[ChatRequest] = []
        self.withdrawn = 0
        self.let = asyncio.Event()
        self.began = asyncio.Event()

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.heard.append(request)
        self.began.set()
        try:
            await self.let.wait()
        except asyncio.CancelledError:
            self.withdrawn += 1
            raise
        return ChatReply((Text("done"),), "openai:x")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteEventLog]:
    made = SqliteEventLog(tmp_path / "events.db")
    made.append("r", EventDraft("state_update", {"state": "building"}))
    yield made
    made.close()


def say(log: SqliteEventLog, text: str, task: str = "", when: str = "next") -> None:
    log.append("r", EventDraft("instruction", {"id": text, "text": text, "when": when, "task": task}))


def used(log: SqliteEventLog) -> list[tuple[str, str]]:
    return [(one.data["id"], one.data["task"]) for one in log.read("r") if one.kind == "instruction_used"]


@pytest.mark.parametrize(
    ("purpose", "task"),
    [("code T-1", "T-1"), ("tests T-12", "T-12"), ("MicroAgent:T-3", "T-3"), ("plan", ""), ("examples FR-1", "")],
)
def test_the_task_is_what_the_purpose_ends_with(purpose, task):
    assert task_in(purpose) == task


async def test_without_words_and_for_other_tasks_the_request_is_as_it_was(log):
    model = Slow()
    model.let.set()
    steered = SteeredModel(model, Instructions(log, "r"))
    await steered.complete(REQUEST)
    say(log, "For another.", "T-2")
    await steered.complete(REQUEST)
    say(log, "For all tasks.")
    plan = ChatRequest(REQUEST.messages, purpose="plan")
    await steered.complete(plan)
    assert model.heard == [REQUEST, REQUEST, plan]
    assert used(log) == []


async def test_words_go_before_the_persons_last_message_of_every_later_request(log):
    model = Slow()
    model.let.set()
    steered = SteeredModel(model, Instructions(log, "r"), "T-1")
    say(log, "Be brief.")
    say(log, "Shift.", "T-1")
    for _ in range(2):
        await steered.complete(ChatRequest(REQUEST.messages, purpose="whatever"))
    for heard in model.heard:
        first, second, third = heard.messages
        assert (first, third) == (REQUEST.messages[0], REQUEST.messages[2])
        assert second.role == "user"
        assert second.text.index("Be brief.") < second.text.index("Shift.") < second.text.index("Write half.")
    assert used(log) == [("Be brief.", "T-1"), ("Shift.", "T-1")]


async def test_a_request_without_a_message_of_a_person_gets_one(log):
    model = Slow()
    model.let.set()
    say(log, "Be brief.")
    await SteeredModel(model, Instructions(log, "r")).complete(ChatRequest((system("Code."),), purpose="code T-1"))
    assert [one.role for one in model.heard[0].messages] == ["system", "user"]
    assert "Be brief." in model.heard[0].messages[1].text


async def test_now_withdraws_the_request_and_next_does_not(log):
    model = Slow()
    answer = asyncio.create_task(SteeredModel(model, Instructions(log, "r")).complete(REQUEST))
    await model.began.wait()
    say(log, "Later.")
    say(log, "Not me.", "T-2", "now")
    await asyncio.sleep(0.8)
    assert (len(model.heard), model.withdrawn) == (1, 0)
    say(log, "At once!", "T-1", "now")
    async with asyncio.timeout(5):
        while len(model.heard) < 2:
            await asyncio.sleep(0.05)
    model.let.set()
    assert (await answer).text == "done"
    assert model.withdrawn == 1
    told = model.heard[1].messages[1].text
    assert told.index("Later.") < told.index("At once!")
    assert "Not me." not in told


async def test_who_stops_waiting_stops_the_model(log):
    model = Slow()
    answer = asyncio.create_task(SteeredModel(model, Instructions(log, "r")).complete(REQUEST))
    await model.began.wait()
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer
    assert model.withdrawn == 1


async def test_an_error_of_the_model_is_told_as_it_is(log):
    class Broken(Slow):
        async def complete(self, request: ChatRequest) -> ChatReply:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await SteeredModel(Broken(), Instructions(log, "r")).complete(REQUEST)
