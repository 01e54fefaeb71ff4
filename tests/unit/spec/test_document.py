from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.core.errors import SpecError
from agentinfra.spec.document import (
    Example,
    Ground,
    Question,
    Requirement,
    Spec,
    body_sha,
    parse,
    render,
)

# Pieces that have a meaning in the document, to be met more often than chance would have it.
TRICKY = [
    "#",
    "## Goal",
    "### FR-1 · x",
    "File: `a`",
    "Acceptance:",
    "- ",
    "```",
    "~~~",
    "`",
    "\\",
    "> ",
    "---",
    "nothing",
]

prose_line = st.one_of(
    st.sampled_from(TRICKY), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"))
)
free_text = st.lists(prose_line, max_size=6).map("\n".join)
prose = free_text.map(lambda text: text.strip("\n"))
one_line = st.lists(prose_line, max_size=3).map(lambda parts: " ".join(" ".join(parts).split()))
filled_line = one_line.filter(bool)

examples = st.builds(
    Example,
    call=free_text.filter(bool),
    expect=st.sampled_from(["returns", "raises", "prints"]),
    value=free_text,
    setup=st.lists(free_text, max_size=2).map(tuple),
    ground=st.sampled_from(Ground),
)
requirements = st.builds(
    Requirement,
    id=st.integers(1, 999).map("FR-{}".format),
    title=one_line,
    statement=prose,
    file=one_line,
    symbols=st.lists(free_text, max_size=2).map(tuple),
    examples=st.lists(examples, max_size=3).map(tuple),
    area=st.sampled_from(["backend", "frontend"]),
)
questions = st.builds(
    Question,
    id=st.integers(1, 5).map("Q-{}".format),
    text=one_line,
    why=one_line,
    options=st.lists(one_line, max_size=3).map(tuple),
    recommended=one_line,
    answer=st.none() | filled_line,
)
specs = st.builds(
    Spec,
    title=one_line,
    idea=free_text,
    goal=prose,
    requirements=st.lists(requirements, max_size=3).map(tuple),
    questions=st.lists(questions, max_size=3).map(tuple),
    out_of_scope=st.lists(filled_line, max_size=3).map(tuple),
    status=st.sampled_from(["draft", "approved", "building", "done"]),
    id=free_text,
)


@settings(deadline=None)
@given(specs)
def test_what_is_rendered_parses_to_the_same_specification(spec: Spec):
    assert parse(render(spec)) == spec


@settings(deadline=None)
@given(specs)
def test_windows_line_ends_make_no_difference(spec: Spec):
    text = render(spec)
    assert parse(text.replace("\n", "\r\n")) == spec
    assert body_sha(text.replace("\n", "\r\n")) == body_sha(text)


@settings(deadline=None)
@given(st.lists(prose_line, max_size=30).map("\n".join))
def test_any_text_is_a_document_or_a_clear_error(text: str):
    try:
        parse(text)
    except SpecError as error:
        assert "line" in error.what
        assert error.next_step
