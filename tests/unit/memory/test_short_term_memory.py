import asyncio
import random

import pytest

from agentinfra.core.errors import ContextOverflow, InputError, ModelUnavailable
from agentinfra.core.messages import Image, Message, Text, ToolCall, ToolResult, assistant, system, user
from agentinfra.memory.short_term_memory import ShortTermMemory

RULES, TASK = system("Be brief."), user("Mend the build.")


def call(*names: str, said: str = "") -> Message:
    return Message("assistant", (Text(said), *(ToolCall(name, "read_file", {"path": f"{name}.py"}) for name in names)))


def result(name: str, content: str = "done", *, is_error: bool = False) -> Message:
    return Message("tool", (ToolResult(name, content, is_error),))


def talk(memory: ShortTermMemory, turns: int, size: int = 300) -> ShortTermMemory:
    memory.add(RULES, TASK)
    for turn in range(turns):
        memory.add(call(f"c{turn}", said=f"step {turn}"), result(f"c{turn}", f"{turn} " + "x" * size))
    return memory


def orphans(messages: tuple[Message, ...]) -> set[str]:
    calls = [part.id for one in messages for part in one.parts if isinstance(part, ToolCall)]
    results = [part.call_id for one in messages for part in one.parts if isinstance(part, ToolResult)]
    return set(calls) ^ set(results)


def test_a_conversation_within_its_budget_stays_as_it_is() -> None:
    memory = talk(ShortTermMemory(10_000), 3)
    before = memory.messages
    assert (memory.compact(), memory.messages, memory.is_full) == (None, before, False)


def test_the_rules_the_task_and_the_newest_stay_and_the_rest_leaves_lines() -> None:
    memory = talk(ShortTermMemory(1_000), 10)
    done = memory.compact()
    assert done is not None
    assert done.before > 1_000 >= done.after == memory.tokens
    assert memory.messages[:2] == (RULES, TASK)
    assert memory.messages[-2:] == (call("c9", said="step 9"), result("c9", "9 " + "x" * 300))
    told = memory.messages[2].text
    assert f"({done.left_out} messages, left out" in told
    assert "assistant: step " in told
    assert 'called read_file({"path": "c' in told
    assert not orphans(memory.messages)


def test_the_same_conversation_is_always_compacted_alike() -> None:
    first, second = talk(ShortTermMemory(1_000), 10), talk(ShortTermMemory(1_000), 10)
    assert (first.compact(), first.messages) == (second.compact(), second.messages)


def test_lines_of_earlier_compactions_stay_while_there_is_room() -> None:
    memory = ShortTermMemory(2_000)
    memory.add(RULES, TASK, user("Never touch the schema."), assistant("x" * 9_000), user("and?"))
    memory.compact()
    memory.add(assistant("y" * 9_000), user("so?"))
    memory.compact()
    assert "user: Never touch the schema." in memory.messages[2].text
    assert "user: and?" in memory.messages[2].text
    assert "(4 messages" in memory.messages[2].text


def test_a_call_with_many_results_stays_or_goes_as_one() -> None:
    memory = ShortTermMemory(700)
    memory.add(RULES, TASK, call("a", "b"), result("b"), result("a", "x" * 900), assistant("hm"), call("c"))
    memory.add(result("c", "y" * 900))
    memory.compact()
    assert not orphans(memory.messages)
    assert [one.role for one in memory.messages[-2:]] == ["assistant", "tool"]


def test_random_conversations_never_lose_half_a_call() -> None:
    pick = random.Random(7)
    for _ in range(60):
        memory = ShortTermMemory(pick.randint(900, 1_800))
        memory.add(RULES, TASK)
        for turn in range(pick.randint(1, 25)):
            names = [f"{turn}-{number}" for number in range(pick.randint(0, 3))]
            memory.add(call(*names, said="s" * pick.randint(1, 400)))
            for name in pick.sample(names, len(names)):
                memory.add(result(name, "r" * pick.randint(0, 3_000), is_error=pick.random() < 0.2))
            if memory.is_full:
                memory.compact()
            assert memory.tokens <= memory.budget
            assert not orphans(memory.messages)
            assert memory.messages[:2] == (RULES, TASK)


def test_a_newest_result_that_is_too_large_alone_keeps_its_beginning_and_end() -> None:
    memory = ShortTermMemory(1_000)
    memory.add(RULES, TASK, call("a"), result("a", "begin " + "x" * 20_000 + " end"))
    done = memory.compact()
    assert done is not None
    assert (done.left_out, done.shortened) == (0, 1)
    [shown] = [part for part in memory.messages[-1].parts if isinstance(part, ToolResult)]
    assert shown.content.startswith("begin")
    assert shown.content.endswith("end")
    assert "characters left out" in shown.content
    assert memory.tokens <= 1_000


def test_pictures_of_a_newest_result_go_before_its_text() -> None:
    memory = ShortTermMemory(1_500)
    memory.add(RULES, TASK, call("a"), Message("tool", (ToolResult("a", "seen", images=(Image(b"png"),)),)))
    memory.compact()
    assert memory.messages[-1] == result("a", "seen\n(1 pictures left out)")


def test_what_has_to_stay_and_does_not_fit_is_an_error_that_changes_nothing() -> None:
    memory = ShortTermMemory(200)
    memory.add(RULES, user("x" * 3_000), assistant("hm"))
    before = memory.messages
    with pytest.raises(ContextOverflow):
        memory.compact()
    assert memory.messages == before


def test_results_without_a_call_and_words_between_are_refused() -> None:
    memory = ShortTermMemory()
    memory.add(RULES, TASK)
    with pytest.raises(InputError, match="no open tool call 'z'"):
        memory.add(result("z"))
    memory.add(call("a"))
    with pytest.raises(InputError, match="no result yet"):
        memory.add(user("Wait!"))
    memory.add(result("a"))
    with pytest.raises(InputError, match="no open tool call 'a'"):
        memory.add(result("a"))
    with pytest.raises(InputError):
        ShortTermMemory(0)


def test_open_calls_stay_open_through_a_compaction() -> None:
    memory = talk(ShortTermMemory(1_000), 8)
    memory.add(call("open"))
    memory.compact()
    memory.add(result("open"))
    assert not orphans(memory.messages)


async def test_a_summariser_is_given_what_goes_and_what_remained_of_before() -> None:
    seen: list[tuple[Message, ...]] = []

    async def summarise(messages: tuple[Message, ...]) -> str:
        seen.append(tuple(messages))
        return f"summary {len(seen)}"

    memory = talk(ShortTermMemory(1_000, summarise=summarise), 10)
    done = await memory.acompact()
    assert done is not None
    assert (done.left_out, done.note) == (len(seen[0]), "")
    assert memory.messages[2].text.endswith(":\nsummary 1")
    for turn in range(10, 20):
        memory.add(call(f"c{turn}"), result(f"c{turn}", "x" * 300))
    await memory.acompact()
    assert "summary 1" in seen[1][0].text
    assert memory.messages[2].text.endswith(":\nsummary 2")


async def test_a_summary_that_fails_is_replaced_by_lines_and_said() -> None:
    async def summarise(messages: tuple[Message, ...]) -> str:
        raise ModelUnavailable("No model answers")

    memory = talk(ShortTermMemory(1_000, summarise=summarise), 10)
    done = await memory.acompact()
    assert done is not None
    assert done.note == "No model answers."
    assert "- assistant: step" in memory.messages[2].text


async def test_a_summary_longer_than_its_share_is_cut() -> None:
    async def summarise(messages: tuple[Message, ...]) -> str:
        return "long " * 5_000

    memory = talk(ShortTermMemory(1_000, summarise=summarise), 10)
    await memory.acompact()
    assert memory.tokens <= 1_000


async def test_what_is_said_while_the_summary_is_written_is_kept() -> None:
    async def summarise(messages: tuple[Message, ...]) -> str:
        memory.add(user("One more thing."))
        await asyncio.sleep(0)
        return "so far so good"

    memory = talk(ShortTermMemory(1_000, summarise=summarise), 10)
    await memory.acompact()
    assert memory.messages[-1] == user("One more thing.")
    assert memory.messages[2].text.endswith("so far so good")
