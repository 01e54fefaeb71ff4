"""The application: what it leaves behind when it cannot begin, and what it tells of its models."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentinfra.app import App
from agentinfra.core.errors import EngineError, RunStopped
from agentinfra.workflow.durable import DbosEngine
from agentinfra.workflow.run_files import RunFiles
from agentinfra.workflow.run_options import RunOptions
from agentinfra.workflow.unattended import Unattended


async def test_a_second_run_in_a_workspace_at_work_leaves_nothing_behind(tmp_path: Path) -> None:
    app = App(tmp_path / "work", Unattended(), data=tmp_path / "data")
    engine = DbosEngine(app.folder / "engine.db")
    await engine.open()
    try:
        before = sorted(tmp_path.rglob("runs"))
        with pytest.raises(EngineError):
            await app.plan(RunOptions("an idea", tmp_path / "work", yes=True, init=True), lambda _: None)
        assert sorted(tmp_path.rglob("runs")) == before
        assert app.runs() == []
    finally:
        await engine.close()
        await app.aclose()


async def test_a_run_tells_which_model_takes_the_place_of_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL", "AGENTINFRA_MODEL_ALIASES"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config.toml"
    config.write_text('[models]\ndefault = "openai:gpt-5"\n[models.fallbacks]\n"openai:gpt-5" = ["anthropic:x"]\n')
    monkeypatch.setenv("AGENTINFRA_CONFIG", str(config))
    (tmp_path / "work").mkdir()
    app = App(tmp_path / "work", Unattended(), data=tmp_path / "data")
    try:
        with pytest.raises(RunStopped, match="None of openai:gpt-5, anthropic:x can answer"):
            await app.plan(RunOptions("an idea", tmp_path / "work", yes=True, init=True), lambda _: None)
        told = [(one.level, one.text) for one in app.state().notices]
    finally:
        await app.aclose()
    text = "openai:gpt-5 cannot answer: OPENAI_API_KEY is not set. anthropic:x is asked instead"
    assert told.count(("warning", text)) == 1


async def test_replies_are_kept_only_where_a_person_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    app = App(tmp_path / "work", Unattended(), data=tmp_path / "data")

    async def has_cache(**options: bool) -> bool:
        with pytest.raises(RunStopped, match="OPENAI_API_KEY"):
            if "cache" in options:
                await app.resume(None, lambda _: None, **options)
            else:
                wanted = RunOptions("an idea", tmp_path / "work", model="openai:gpt-5", yes=True, init=True)
                await app.plan(wanted, lambda _: None)
        kept = RunFiles(app.folder / "runs" / app.run_id()).options().cache
        assert (tmp_path / "cache" / "agentinfra" / "replies").exists() == kept
        return kept

    try:
        assert [await has_cache(), await has_cache(cache=False)] == [False, False]
        assert [await has_cache(cache=True), await has_cache(cache=False)] == [True, True]
    finally:
        await app.aclose()
