"""What people read is in the language of their editor; the catalogues say everything that the source says."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from agentinfra_server.protocol.language import catalogue, speak, tr, tr_count
from agentinfra_server.session.progress import RUN_STATES, TASK_STATES, describe
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from agentinfra.core.tasks import TaskState
from agentinfra.workflow.run_state import RunState, TaskView
from tests.server.editor import ALONE, serving
from tests.server.test_code_actions import CAPABILITIES, NO_MODEL, SOURCE
from tests.server.test_runs import START

ROOT = Path(__file__).parents[2]
LOCALE = ROOT / "server" / "agentinfra_server" / "locale"
LANGUAGES = ("de", "zh_CN")
MOST_THE_SAME = 4
"""Messages that may read alike in two languages: a word such as "limit"."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    (made / "shapes.py").write_text(SOURCE)
    return made


def kept(language: str) -> Catalog:
    with (LOCALE / language / "LC_MESSAGES" / "agentinfra.po").open("rb") as lines:
        return read_po(lines, locale=language)


def forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def fields(text: str) -> set[str | None]:
    return {field for _, field, _, _ in Formatter().parse(text) if field is not None}


@pytest.mark.parametrize(
    ("locale", "title", "reason"),
    [
        ("de", "double erklären", "Es ist kein Modell eingerichtet. Setzen Sie einen Schlüssel"),
        ("zh-cn", "解释 double", "尚未配置模型"),
        ("tlh", "Explain double", "No model is configured"),
    ],
)
async def test_code_actions_and_errors_are_in_the_language_of_the_editor(tmp_path, folder, locale, title, reason):
    alone = {**NO_MODEL, "AGENTINFRA_MODEL_DIR": str(tmp_path)}
    async with serving(tmp_path, ALONE, **alone) as editor:
        await editor.initialize(folder, capabilities={**CAPABILITIES, "experimental": {}}, locale=locale)
        uri = (folder / "shapes.py").as_uri()
        document = {"uri": uri, "languageId": "python", "version": 1, "text": SOURCE}
        editor.notify("textDocument/didOpen", {"textDocument": document})
        here = {"start": {"line": 13, "character": 0}, "end": {"line": 13, "character": 0}}
        params = {"textDocument": {"uri": uri}, "range": here, "context": {"diagnostics": [], "triggerKind": 1}}
        found = await editor.result("textDocument/codeAction", params)
        assert title in [one["title"] for one in found]
        assert all(one["disabled"]["reason"].startswith(reason) for one in found)
        assert {one["kind"] for one in found} >= {"source.agentinfra.explain"}  # values are the same everywhere
        said = (await editor.request("agentinfra/run/view", {}))["error"]["message"]
        assert said.startswith(tr_in(locale, "There is no run in {folder}", folder=folder))


def tr_in(locale: str | None, message: str, **parts: Any) -> str:
    return catalogue(locale).gettext(message).format(**parts)


@pytest.mark.parametrize(
    ("locale", "asked", "buttons"),
    [
        ("de", "Bauen, was die Spezifikation sagt?", ["Freigeben & bauen", "Ablehnen"]),
        ("zh-cn", "要构建规格说明所描述的内容吗？", ["批准并构建", "拒绝"]),
    ],
)
async def test_a_run_is_shown_and_rejected_in_the_language_of_the_editor(tmp_path, folder, locale, asked, buttons):
    (folder / "shapes.py").unlink()
    async with serving(tmp_path) as editor:
        boxes: list[Any] = []

        def shown() -> list[dict[str, Any]]:
            return [one["value"] for one in editor.notes.get("$/progress", [])]

        async def reject(params: Any) -> Any:
            boxes.append((params["message"], [action["title"] for action in params["actions"]]))
            await editor.until(shown)
            return {"title": buttons[1]}

        async def create(_params: Any) -> None:
            return None

        editor.answers = {"window/showMessageRequest": reject, "window/workDoneProgress/create": create}
        await editor.initialize(folder, capabilities={"window": {"workDoneProgress": True}}, locale=locale)
        await editor.result("workspace/executeCommand", {"command": "agentinfra.plan", "arguments": [START]})
        await editor.until(lambda: [one for one in shown() if one["kind"] == "end"], 60)
        assert boxes == [(asked, buttons)]
        assert {one["message"] for one in shown()} <= {tr_in(locale, state) for state in RUN_STATES}


@pytest.mark.parametrize(
    ("locale", "stop"),
    [
        *((name, "Anhalten") for name in ("de", "de-AT", "DE_ch.UTF-8")),
        *((name, "停止") for name in ("zh", "zh-cn", "zh_CN.UTF-8", "zh-Hans-SG")),
        *((name, "Stop") for name in ("zh-tw", "zh-Hant", "zh-hk", "en", "en-US", "del", "C", "", None)),
    ],
)
def test_the_catalogue_of_a_locale(locale, stop):
    assert catalogue(locale).gettext("Stop") == stop


async def test_tasks_that_work_at_once_speak_each_their_own_language():
    async def say(locale: str) -> list[str]:
        speak(catalogue(locale))
        await asyncio.sleep(0)
        inner = await asyncio.create_task(asyncio.to_thread(tr, "Stop"))
        return [inner, tr_count("{count} question", "{count} questions", 2), tr_count("{count} question", "", 1)]

    said = await asyncio.gather(say("de"), say("zh-cn"), say("en"))
    assert said == [
        ["Anhalten", "2 Fragen", "1 Frage"],
        ["停止", "2 个问题", "1 个问题"],
        ["Stop", "2 questions", "1 question"],
    ]
    assert tr("Stop") == "Stop"


async def test_progress_counts_tasks_and_tries():
    task = TaskView("T-1", state=TaskState.CODING, attempt=2, max_attempts=3)
    speak(catalogue("de"))
    assert describe(RunState(tasks=(task,))) == "0/1 Aufgaben · T-1 Versuch 2/3"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_translation_keeps_the_parts_of_its_message(language):
    wrong = [
        (message.id, form)
        for message in kept(language)
        for form in forms(message.string)
        if message.id and fields(form) != fields(forms(message.id)[-1])
    ]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_say_it_in_another_language(language):
    same = [message.id for message in kept(language) if message.id and forms(message.string) == forms(message.id)]
    assert len(same) <= MOST_THE_SAME


def test_every_state_has_a_name():
    assert {state.value for state in TaskState} == set(TASK_STATES)
    assert {"done", "failed", "stopped"} < set(RUN_STATES)


def run(root: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, root / "scripts" / "translations.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_every_message_of_the_source_is_translated():
    code, said = run(ROOT, "--check")
    assert code == 0, said


def test_the_script_finds_what_is_not_translated_and_keeps_what_is(tmp_path):
    source = tmp_path / "server" / "agentinfra_server"
    shutil.copytree(ROOT / "server" / "agentinfra_server", source, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (source / "more.py").write_text('said = tr("Brand new: {thing}", thing=1)\n')
    code, said = run(tmp_path, "--check")
    assert code == 1 and said.count("'Brand new: {thing}' is not translated") == len(LANGUAGES)

    assert run(tmp_path)[0] == 1  # it is there now, and still to be translated
    for language in LANGUAGES:
        file = source / "locale" / language / "LC_MESSAGES" / "agentinfra.po"
        file.write_text(file.read_text().replace('{thing}"\nmsgstr ""', '{thing}"\nmsgstr "Neu: {thing}"'))
        assert '\nmsgstr ""\n\n' not in file.read_text()
    code, said = run(tmp_path, "--check")
    assert code == 1 and "the .mo file is not that of the .po file" in said
    assert run(tmp_path)[0] == run(tmp_path, "--check")[0] == 0

    (source / "more.py").unlink()
    code, said = run(tmp_path, "--check")
    assert code == 1 and "nobody says 'Brand new: {thing}'" in said
    assert run(tmp_path)[0] == 0
    for language in LANGUAGES:
        name = f"locale/{language}/LC_MESSAGES/agentinfra.po"
        assert (source / name).read_text() == (ROOT / "server" / "agentinfra_server" / name).read_text()
