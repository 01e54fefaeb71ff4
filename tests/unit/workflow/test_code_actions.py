"""Code actions put together: the model that is asked, other agents, and the bounds of what any of them may do."""

import pytest

from agentinfra.agents.acting_agents import ActingAgents
from agentinfra.agents.code_actions import ActionAnswer, ActionRequest, OfferedAction
from agentinfra.core.errors import AgentInfraError, InputError, ModelUnavailable, PatchError, ReplyError
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.workflow.code_actions import MOST_TEXT, CodeActions

CODE = "def twice(n):\n    return n\n"
PATCH = "app.py\n<<<<<<< SEARCH\n    return n\n=======\n    return 2 * n\n>>>>>>> REPLACE\n"
FIXED = CODE.replace("return n", "return 2 * n")


class Acting:
    """An agent that gives what it was told to."""

    name = "Other"

    def __init__(self, answer):
        self.answer = answer

    def code_actions(self):
        return [OfferedAction("double", "Double it")]

    async def perform(self, request, model):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("AGENTINFRA_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def request(what="fix", **more):
    return ActionRequest(**{"what": what, "path": "app.py", "text": CODE, "test_path": "test_app.py", **more})


async def perform(workspace, reply, asked=None, **how):
    model = ScriptedModel(lambda _: reply, name="scripted:one")
    actions = CodeActions(workspace, {"scripted": lambda _: model})
    return await actions.act(asked or request(), model="scripted:one", **how)


async def of_another(workspace, answer):
    actions = CodeActions(workspace, {"scripted": lambda _: ScriptedModel([])})
    actions._others = ActingAgents({"Other": Acting(answer)})
    return (await actions.act(request("double"), "Other", "scripted:one"))[0]


async def test_the_agents_answer_comes_with_the_models_name(workspace):
    assert await perform(workspace, PATCH) == (ActionAnswer({"app.py": FIXED}), "scripted:one")


async def test_the_settings_model_is_asked_where_none_is_named(workspace):
    (workspace.parent / "config.toml").write_text('[models]\ndefault = "scripted:two"\n')
    model = ScriptedModel(["Fine."], name="scripted:two")
    actions = CodeActions(workspace, {"scripted": lambda _: model})
    assert await actions.act(request("review")) == (ActionAnswer(text="Fine.\n"), "scripted:two")


async def test_a_place_that_no_patch_may_write_is_refused_before_anything_is_asked(workspace):
    for path in ("../app.py", ".git/hooks/x.py", ".vscode/settings.json"):
        with pytest.raises(PatchError, match="refused"):
            await perform(workspace, PATCH, request(path=path))
    (workspace / "app.py").symlink_to("/etc/hostname")
    with pytest.raises(PatchError, match="symbolic link"):
        await perform(workspace, PATCH)


async def test_another_agent_answers_by_a_patch_a_text_or_new_texts(workspace):
    assert (await of_another(workspace, PATCH)).files == {"app.py": FIXED}
    assert await of_another(workspace, "Nothing to do.") == ActionAnswer(text="Nothing to do.")
    assert (await of_another(workspace, ActionAnswer({"test_app.py": "x = 1\n"}))).files == {"test_app.py": "x = 1\n"}
    assert len((await of_another(workspace, "x" * 2 * MOST_TEXT)).text) < MOST_TEXT + 10


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (ActionAnswer({"setup.py": "x"}), PatchError, r"changes setup\.py"),
        (PATCH.replace("app.py", "setup.py"), PatchError, r"changes setup\.py"),
        (ActionAnswer({"app.py": "def ("}), PatchError, "would not be Python"),
        (None, ReplyError, "gave a NoneType"),
        (ZeroDivisionError("oh"), ReplyError, "Other failed. ZeroDivisionError: oh"),
        (ModelUnavailable("No key"), ModelUnavailable, "No key"),
    ],
)
async def test_what_another_agent_must_not_do_is_refused(workspace, answer, kind, said):
    with pytest.raises(kind, match=said):
        await of_another(workspace, answer)


async def test_an_agent_that_is_not_there_is_an_error(workspace):
    with pytest.raises(InputError, match="There is no agent 'Nobody'"):
        await perform(workspace, PATCH, agent="Nobody")


async def test_a_planner_that_is_not_trusted_is_told_of_and_not_imported(workspace):
    (workspace / ".agentinfra").mkdir()
    (workspace / ".agentinfra" / "settings.toml").write_text('planner = "evil:Planner"\n')
    (workspace / "evil.py").write_text("raise SystemExit\n")
    others = await CodeActions(workspace).others()
    assert others.offers == {} and "is not trusted" in others.problems[0]


async def test_what_fails_is_one_of_our_errors(workspace):
    with pytest.raises(AgentInfraError, match="There is no model"):
        await CodeActions(workspace).act(request(), model="nobody:nothing")
