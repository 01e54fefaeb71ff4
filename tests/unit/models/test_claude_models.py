import pytest

from agentinfra.models.claude_models import claude


@pytest.mark.parametrize(
    ("name", "adaptive", "effort", "by_default", "unthinking", "forced", "schema"),
    [
        ("claude-sonnet-5-5", True, True, True, "between_tools", False, True),
        ("claude-haiku-5-5", True, True, True, "disabled", True, True),
        ("claude-opus-5-5", True, True, True, "never", False, True),
        ("claude-fable-5-1", True, True, True, "never", False, True),
        ("claude-opus-5", True, True, True, "disabled", True, True),
        ("anthropic:claude-opus-4-8", True, True, False, "omitted", True, True),
        ("anthropic.claude-opus-4-6-v1", True, True, False, "omitted", True, True),
        ("claude-opus-4-5-20251101", False, True, False, "omitted", True, True),
        ("claude-haiku-4-5", False, False, False, "omitted", True, True),
        ("claude-sonnet-4-20250514", False, False, False, "omitted", True, False),
        ("claude-mythos-preview", True, True, True, "never", True, True),
    ],
)
def test_what_a_model_takes_is_read_off_its_name(name, adaptive, effort, by_default, unthinking, forced, schema):
    found = claude(name)
    assert (found.adaptive, found.effort, found.thinks_by_default) == (adaptive, effort, by_default)
    assert (found.unthinking, found.forced_tools, found.schema) == (unthinking, forced, schema)


def test_the_profile_says_how_much_fits_and_what_can_be_read():
    assert claude("claude-haiku-4-5").profile.context_tokens == 200_000
    assert claude("claude-sonnet-5-5").profile.context_tokens == 1_000_000
    assert claude("claude-haiku-4-5").profile.inputs == ("text", "image", "file")


@pytest.mark.parametrize("name", ["my-model", "qwen2.5:7b", "claude-latest"])
def test_an_unknown_name_is_taken_for_a_model_that_accepts_the_least(name):
    found = claude(name)
    assert (found.unthinking, found.forced_tools, found.adaptive) == ("never", False, True)
