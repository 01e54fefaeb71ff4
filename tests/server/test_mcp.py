"""The Model Context Protocol over a real process: the official client drives runs, by the newest version and before."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp_types import ElicitRequestParams, ElicitResult

from tests.e2e.provider import SHORT, Provider
from tests.server.acp_editor import AGENTINFRA, own_home
from tests.server.test_acp import ASKING
from tests.server.test_runs import DEMO, IDEA, processes_of

GUIDE = (Path(__file__).parents[2] / "docs" / "how-to" / "use-over-mcp.md").read_text("utf-8")
TOOLS = set(re.findall(r"^\| `(agentinfra_\w+)`", GUIDE, re.MULTILINE))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


class Person:
    """The person before the assistant.

    Attributes:
        asked: What they were asked.
        answers: What they answer, one after the other; None declines.
        progress: What they saw of the work.
    """

    def __init__(self, *answers: dict[str, Any] | None) -> None:
        self.asked: list[str] = []
        self.answers = [*answers]
        self.progress: list[str] = []

    async def elicit(self, _context: Any, asked: ElicitRequestParams) -> ElicitResult:
        self.asked.append(asked.message)
        answer = self.answers.pop(0)
        return ElicitResult(action="decline") if answer is None else ElicitResult(action="accept", content=answer)

    async def see(self, progress: float, total: float | None, message: str | None) -> None:
        self.progress.append(f"{progress:.0f} of {total:.0f}: {message}")


class Assistant:
    """Calls tools.

    Args:
        client: The official client.
        person: Sees how far they are.
    """

    def __init__(self, client: Client, person: Person) -> None:
        self.client = client
        self._person = person

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """What a tool tells."""
        result = await self.client.call_tool(f"agentinfra_{tool}", arguments, progress_callback=self._person.see)
        assert not result.is_error, result.content
        return result.structured_content

    async def refused(self, tool: str, **arguments: Any) -> str:
        """Why a tool refuses."""
        result = await self.client.call_tool(f"agentinfra_{tool}", arguments)
        assert result.is_error
        return result.content[0].text

    async def until_over(self) -> dict[str, Any]:
        """Wait as the tools say."""
        async with asyncio.timeout(120):
            while (told := await self.call("status"))["is_at_work"]:
                assert told["next_step"] == "Call agentinfra_status to wait for it"
        return told


@asynccontextmanager
async def assistant(
    home: Path, folder: Path, *options: str, person: Person | None = None, mode: str = "auto", asks: bool = True
) -> AsyncIterator[Assistant]:
    """The official client with ``agentinfra mcp`` behind it."""
    person = person or Person()
    (settings,) = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    told = json.loads(settings.replace("/path/to/project", str(folder)))["mcpServers"]["agentinfra"]
    assert told["command"] == Path(AGENTINFRA).name
    spawned = StdioServerParameters(command=AGENTINFRA, args=[*told["args"], *options], env=own_home(home), cwd=home)
    asking = person.elicit if asks else None
    async with Client(spawned, mode=mode, elicitation_callback=asking) as client:
        yield Assistant(client, person)


async def test_an_idea_becomes_merged_code_and_only_the_person_approves(tmp_path, folder):
    person = Person(None, {"build": True})
    async with assistant(tmp_path, folder, "--replay", str(DEMO), person=person) as model:
        assert {tool.name for tool in (await model.client.list_tools()).tools} == TOOLS
        assert "There is no run in" in await model.refused("status")

        told = await model.call("plan", idea=IDEA)
        assert (told["state"], told["question"]["kind"]) == ("awaiting_approval", "approve")
        assert "agentinfra_approve" in told["next_step"]
        assert "A run is at work" in await model.refused("plan", idea="Something else")
        assert "does not wait for a question" in await model.refused("answer", answer="approve")

        told = await model.call("approve")  # the person declines
        assert told["state"] == "awaiting_approval"
        assert "# Python modules for hiking" in person.asked[0]
        await model.call("approve")
        told = await model.until_over()
        assert (told["state"], told["message"]) == ("done", "")
        assert [(task["id"], task["state"]) for task in told["tasks"]] == [(f"T-{n}", "done") for n in (1, 2, 3, 4)]
        assert told["next_step"].endswith("agentinfra accept") and told["branch"] in told["next_step"]
        assert any(line.startswith("50 of 100: 2/4 tasks") for line in person.progress)
        merged = subprocess.run(
            ["git", "show", f"{told['branch']}:pace.py"], cwd=folder, capture_output=True, text=True, check=True
        )
        assert "def walking_minutes" in merged.stdout
    assert processes_of(tmp_path) == set()


@pytest.mark.parametrize(
    ("words", "asked", "mode"),
    [("up", 0, "auto"), ("", 1, "auto"), ("", 1, "legacy")],
    ids=["handed over", "asked by the client", "by an older client"],
)
async def test_a_question_is_answered_in_the_persons_words(tmp_path, folder, words, asked, mode):
    person = Person({"answer": "up"})
    with Provider(ASKING) as provider:
        options = ("--mode", "plan", *provider.options)
        async with assistant(tmp_path, folder, *options, person=person, mode=mode) as model:
            told = await model.call("plan", idea=SHORT)
            assert told["question"]["text"] == "Which way is it rounded?"
            assert (told["question"]["options"], told["question"]["recommended"]) == (["down", "up"], "down")
            told = await model.call("answer", answer=words)
            assert told["question"]["kind"] == "approve"
            assert len(person.asked) == asked
            assert all("- down (recommended)\n- up" in one for one in person.asked)
            assert "up" in Path(told["specification"]).read_text()


async def test_a_client_that_cannot_ask_is_told_how_the_person_approves(tmp_path, folder):
    with Provider() as provider:
        async with assistant(tmp_path, folder, *provider.options, asks=False) as model:
            told = await model.call("plan", idea=SHORT)
            why = await model.refused("approve")
            assert "cannot ask the person" in why and f"agentinfra resume {told['run']}" in why
            told = await model.call("stop")
            assert (told["state"], told["is_at_work"]) == ("stopped", False)
            assert told["next_step"] == "Go on with it by agentinfra_resume"
        command = [AGENTINFRA, "resume", told["run"], "--workspace", folder, "--yes"]
        done = subprocess.run(command, env=own_home(tmp_path), capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr


async def test_a_run_that_a_killed_server_left_is_resumed(tmp_path, folder):
    with Provider() as provider:
        async with assistant(tmp_path, folder, *provider.options) as model:
            await model.call("plan", idea=SHORT)
            (server,) = [one for one in processes_of(tmp_path) if b"agentinfra_server.mcp" in command_of(one)]
            os.kill(int(server), signal.SIGKILL)
            async with asyncio.timeout(30):
                while processes_of(tmp_path):
                    await asyncio.sleep(0.05)
        person = Person({"build": True})
        async with assistant(tmp_path, folder, *provider.options, person=person) as model:
            assert (await model.call("status"))["is_at_work"] is False
            told = await model.call("resume")
            edited = Path(told["specification"])
            edited.write_text(edited.read_text().replace("rounded down", "rounded down, always"))
            await model.call("approve")
            assert "rounded down, always" in person.asked[0]
            assert (await model.until_over())["state"] == "done"


def command_of(process: str) -> bytes:
    return Path("/proc", process, "cmdline").read_bytes()


async def test_the_language_servers_own_command_serves_it_too(tmp_path, folder):
    server = str(Path(AGENTINFRA).with_name("agentinfra-server"))
    spawned = StdioServerParameters(command=server, args=["--mcp", str(folder)], env=own_home(tmp_path), cwd=tmp_path)
    async with Client(spawned) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS


async def test_the_workspace_is_searched(tmp_path, folder):
    (folder / "tea.py").write_text('def brew(cups):\n    """Boil water for tea."""\n    return cups * 2\n')
    (folder / "notes.md").write_text("# Water\n\nBoiling takes five minutes.\n")
    async with assistant(tmp_path, folder) as model:
        found = (await model.call("search", query="boiling water"))["result"]
        assert {one["path"] for one in found} == {"tea.py", "notes.md"}
        (code,) = (await model.call("search", query="boiling water", paths="*.py"))["result"]
        assert (code["symbol"], code["start"]) == ("brew", 1)
        assert "less than or equal to 20" in await model.refused("search", query="tea", limit=1000)


@pytest.mark.parametrize("command", [[AGENTINFRA, "mcp", "--workspace"], [f"{AGENTINFRA}-server", "--mcp"]])
def test_a_folder_that_is_not_there_is_told(tmp_path, command):
    done = subprocess.run(
        [*command, tmp_path / "nowhere"], capture_output=True, text=True, env=own_home(tmp_path), check=False
    )
    assert done.returncode == 2
    assert f"{tmp_path / 'nowhere'} is no folder" in done.stderr


def test_without_its_package_it_says_what_to_install(tmp_path):
    program = (
        "import sys; sys.modules['mcp'] = None; sys.argv = ['mcp', '.']\n"
        "from agentinfra_server.mcp.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=own_home(tmp_path), check=False
    )
    assert done.returncode == 2
    assert 'pip install "agentinfra[mcp]"' in done.stderr
