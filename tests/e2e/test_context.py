"""Where a repository is indexed, a model is shown what of it fits its task; a run makes no index, nor waits for one."""

import pytest

from tests.e2e.place import Place
from tests.e2e.provider import SHORT, Provider

HALVES = 'def halves(cake):\n    """Both halves of a cake."""\n    return [cake / 2] * 2\n'


@pytest.mark.parametrize("indexed", [True, False])
def test_a_model_is_shown_the_repository_where_it_is_indexed(place: Place, indexed: bool) -> None:
    place.repository(cake__py=HALVES)
    place.environment["OPENAI_API_KEY"] = "x"
    (place.workspace / "diary.md").write_text("# Halves\n\nHalf a cake is not committed.\n")
    if indexed:
        assert place.agentinfra("index").code == 0
    with Provider() as provider:
        outcome = place.agentinfra("plan", SHORT, "--yes", *provider.options)
        asked = [str(request) for request in provider.asked("code")]
    assert outcome.code == 0, outcome.said
    assert asked
    for request in asked:
        assert ("<repository>" in request) == indexed
        assert ("similar cake.py:1-3" in request) == indexed
        assert "diary.md" not in request
    assert place.agentinfra("context", "T-1").stdout.startswith("=== spec spec.md:")
