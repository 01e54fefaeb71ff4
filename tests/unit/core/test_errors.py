"""The one exception tree."""

import inspect
import pickle

import pytest

from agentinfra.core import errors
from agentinfra.core.errors import AgentInfraError, ModelError, RateLimited

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, AgentInfraError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_comes_back_whole_from_pickling(kind):
    error = kind("What", why="Why", next_step="Step")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (again.what, again.why, again.next_step, str(again)) == ("What", "Why", "Step", "What. Why. Step.")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_tree_is_drawn_in_the_docstring(kind):
    [line] = [line for line in errors.__doc__.splitlines() if kind.__name__ in line.split()]
    depth = len(kind.__mro__) - len(AgentInfraError.__mro__)
    assert line.index(kind.__name__) == depth * 4 + 4  # the drawing is indented


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (("No file",), "No file."),
        (("No file.",), "No file."),
        (("No file", "It is gone"), "No file. It is gone."),
        (("No file", "", "Make one"), "No file. Make one."),
    ],
)
def test_a_message_is_made_of_sentences(given, shown):
    what, why, next_step = (*given, "", "")[:3]
    assert str(AgentInfraError(what, why=why, next_step=next_step)) == shown


def test_errors_of_models_can_be_caught_as_one():
    under = {kind.__name__ for kind in KINDS if issubclass(kind, ModelError)}
    unavailable = {"ModelUnavailable", "NoPermission", "ModelNotFound", "RateLimited", "QuotaExceeded"}
    assert under == {"ModelError", "NotSupported", "ContextOverflow", "ReplyError", "RecordingMismatch", *unavailable}


def test_what_a_model_error_knows_about_trying_again_survives_a_record():
    error = pickle.loads(pickle.dumps(RateLimited("Full", why="429", transient=True, retry_after=2.5)))
    assert (type(error), str(error), error.transient, error.retry_after) == (RateLimited, "Full. 429.", True, 2.5)
