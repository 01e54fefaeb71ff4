"""A whole conversation over the Agent Client Protocol, with files that are open with edits that are not saved."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from acp.exceptions import RequestError
from acp.helpers import resource_link_block, text_block
from acp.schema import FileSystemCapabilities

from tests.e2e.provider import CODE, SHORT, Provider
from tests.server.acp_editor import Person, editor

READS = FileSystemCapabilities(read_text_file=True)
WRITES = FileSystemCapabilities(read_text_file=True, write_text_file=True)
ROUNDING = {"question": "Which way is it rounded?", "why": "7 is odd", "options": ["down", "up"], "recommended": "down"}
ASKING = {"OpenQuestions": json.dumps({"questions": [ROUNDING]})}
ROUNDED_UP = {"code": CODE.replace("n // 2", "(n + 1) // 2")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def git(folder: Path, *arguments: str) -> str:
    shown = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True)
    return shown.stdout.strip()


def titles(person: Person) -> list[str]:
    return [call.title for call, _ in person.asked]


async def test_an_idea_becomes_a_commit_and_a_changed_specification_another(tmp_path, folder):
    with Provider(ASKING) as provider:
        async with editor(tmp_path, "--init", *provider.options, files=WRITES) as (person, agent):
            name = (await agent.new_session(str(folder))).session_id
            assert (await agent.prompt(name, [text_block(SHORT)])).stop_reason == "end_turn"
            assert titles(person) == ["Which way is it rounded?", "Build what the specification says?"]
            assert {entry.status for entry in person.plan} == {"completed"}
            with pytest.raises(RequestError, match="Nothing waits for an approval"):
                await agent.prompt(name, [text_block("/approve")])
            await agent.prompt(name, [text_block("/accept")])
            assert "def half" in git(folder, "show", "HEAD:sums.py")
            first = person.plan

            provider.answers.update(ROUNDED_UP)
            spec = folder / "spec.md"
            edited = spec.read_text().replace("`half(7)` returns `3`", "`half(7)` returns `4`")
            assert edited != spec.read_text()
            person.unsaved[str(spec)] = edited  # in the editor, not on disk
            person.asked.clear()
            changed = await agent.prompt(name, [text_block("/change")])
            assert changed.stop_reason == "end_turn"
            assert titles(person) == ["Save spec.md", "Build what the specification says?"]
            (diff,) = person.asked[0][0].content
            assert (diff.path, diff.new_text) == (str(spec), edited)
            assert "returns `4`" in spec.read_text() and person.unsaved == {}
            assert first != person.plan and changed.field_meta["agentinfra"]["state"] == "done"
            await agent.prompt(name, [text_block("/accept")])
            assert "(n + 1) // 2" in git(folder, "show", "HEAD:sums.py")
            (listed,) = (await agent.list_sessions(str(folder))).sessions
            assert listed.session_id == name
            assert person.updates("user_message_chunk") == []
            await agent.load_session(str(folder), name)
            ideas = [update.content.text for update in person.updates("user_message_chunk")]
            assert len(ideas) == 2 and ideas[0] == SHORT


async def test_a_linked_file_is_read_as_the_editor_has_it(tmp_path, folder):
    (folder / "idea.md").write_text("as it was saved")
    (folder / "other.md").write_text("not open anywhere")
    links = [resource_link_block(name, (folder / name).as_uri()) for name in ("idea.md", "other.md")]
    with Provider() as provider:
        async with editor(tmp_path, "--init", "--mode", "plan", *provider.options, files=READS) as (person, agent):
            person.unsaved[str(folder / "idea.md")] = SHORT
            await agent.prompt((await agent.new_session(str(folder))).session_id, links)
    asked = str(provider.requests)
    assert "rounded down" in asked and "not open anywhere" in asked and "as it was saved" not in asked


async def test_what_is_approved_is_what_the_person_sees(tmp_path, folder):
    with Provider() as provider:
        async with editor(tmp_path, "--init", "--mode", "plan", *provider.options, files=WRITES) as (person, agent):
            saved = edit_before_approval(person)
            await agent.prompt((await agent.new_session(str(folder))).session_id, [text_block(SHORT)])
    ask = "Build what the specification says?"
    assert titles(person) == [ask, "Save spec.md", ask]  # once more, since what was shown first is not what is built
    (draft,) = saved
    assert "Round it well." in Path(draft).read_text()
    assert "Round it well." in person.asked[-1][0].content[0].content.text
    assert person.plan[0].status == "completed"


@pytest.mark.parametrize("files", [READS, WRITES])
async def test_nothing_is_approved_while_edits_are_not_saved(tmp_path, folder, files):
    with Provider() as provider:
        async with editor(tmp_path, "--init", "--mode", "plan", *provider.options, files=files) as (person, agent):
            saved = edit_before_approval(person, saves=False)
            name = (await agent.new_session(str(folder))).session_id
            await agent.prompt(name, [text_block(SHORT)])
            assert "has edits that are not saved" in person.said
            await agent.prompt(name, [text_block("approve")])
            assert person.said.count("has edits that are not saved") == 2
            assert person.plan[0].status == "in_progress"
            (draft,) = saved
            assert "Round it well." not in Path(draft).read_text()
            del person.unsaved[draft]
            await agent.prompt(name, [text_block("/approve")])
            assert person.plan[0].status == "completed"


def edit_before_approval(person: Person, *, saves: bool = True) -> list[str]:
    """Have the person edit a specification while they are asked to approve it; the paths come when it happens."""
    edited: list[str] = []

    def choose(call: Any, options: list[Any]) -> str:
        if call.title == "Save spec.md":
            return options[0 if saves else 1].option_id
        if not edited:
            edited.append(call.locations[0].path)
            person.unsaved[edited[0]] = call.content[0].content.text + "\n## Notes\n\nRound it well.\n"
        return options[0].option_id

    person.choose = choose
    return edited
