import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.core.errors import SpecError
from agentinfra.spec.document import (
    Criterion,
    Example,
    Ground,
    Question,
    Requirement,
    Spec,
    body_sha,
    parse,
    render,
    with_front_matter,
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
    "<!--",
    "-->",
    "Given",
    "when x, then",
    "- [ ] Q-1 · x",
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
    criteria=st.lists(st.builds(Criterion, one_line, one_line, one_line), max_size=2).map(tuple),
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
    stories=st.lists(filled_line, max_size=2).map(tuple),
    interface=st.lists(filled_line, max_size=2).map(tuple),
)


@settings(deadline=None)
@given(specs)
def test_what_is_rendered_parses_to_the_same_specification(spec: Spec):
    assert parse(render(spec)) == spec


@settings(deadline=None, max_examples=30)
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


PLAIN = """---
id: tea-timer
status: draft
approved:
---

# Tea timer

> I want to brew tea.
>
> A function `brew(kind)`.

## Goal

Know how long to wait.

## Requirements

### FR-1 · Brewing time

Gives the minutes for a kind of tea.

File: `tea.py`

Interface:

- `brew(kind)`

Acceptance:

- `brew("green")` returns `3` _(stated)_
- after `k = Kettle()` `k.fill(2)` then `k.level()` returns `2` _(guessed)_
- `brew("")` raises `ValueError` _(computed)_
- `python tea.py` prints nothing _(answered)_

## Open questions

- [ ] Q-1 · Which teas?
  - Why: the table must be complete
  - Option: green
  - Option: black
  - Recommended: green
  - Answer:

## Out of scope

- An alarm
"""

TEA = Spec(
    title="Tea timer",
    idea="I want to brew tea.\n\nA function `brew(kind)`.",
    goal="Know how long to wait.",
    requirements=(
        Requirement(
            id="FR-1",
            title="Brewing time",
            statement="Gives the minutes for a kind of tea.",
            file="tea.py",
            symbols=("brew(kind)",),
            examples=(
                Example('brew("green")', "returns", "3", ground=Ground.STATED),
                Example("k.level()", "returns", "2", ("k = Kettle()", "k.fill(2)")),
                Example('brew("")', "raises", "ValueError", ground=Ground.COMPUTED),
                Example("python tea.py", "prints", "", ground=Ground.ANSWERED),
            ),
        ),
    ),
    questions=(Question("Q-1", "Which teas?", "the table must be complete", ("green", "black"), "green"),),
    out_of_scope=("An alarm",),
    id="tea-timer",
)


def test_the_document_is_what_a_person_would_write():
    assert render(TEA) == PLAIN
    assert parse(PLAIN) == TEA


def test_output_of_several_lines_stands_in_a_block_of_its_own():
    example = Example("python tea.py list", "prints", "green\n```\nblack\n", ground=Ground.STATED)
    spec = Spec("T", "", "", (Requirement("FR-1", "t", "s", examples=(example,)),))
    assert "- `python tea.py list` prints\n  ````\n  green\n  ```\n  black\n\n  ````\n  _(stated)_\n" in render(spec)
    assert parse(render(spec)) == spec


def only_example(item: str) -> Example:
    spec = parse(f"# T\n## Requirements\n### FR-1 · t\nAcceptance:\n{item}\n")
    return spec.requirements[0].examples[0]


@pytest.mark.parametrize(
    ("item", "example"),
    [
        ("- `f(1)` returns `2`", Example("f(1)", "returns", "2", ground=Ground.ANSWERED)),
        ("* `f(1)` gives `2` (stated)", Example("f(1)", "returns", "2", ground=Ground.STATED)),
        ("- `f(1)` → `2`", Example("f(1)", "returns", "2", ground=Ground.ANSWERED)),
        ("- f(1) returns 2 _(guessed)_", Example("f(1)", "returns", "2")),
        ("+ f(1) raises ValueError", Example("f(1)", "raises", "ValueError", ground=Ground.ANSWERED)),
        ("- ``f(`1`)`` returns `` ` ``", Example("f(`1`)", "returns", "`", ground=Ground.ANSWERED)),
        ("- `x = 1`, then `f(x)` returns `2`", Example("f(x)", "returns", "2", ("x = 1",), Ground.ANSWERED)),
        ("- `f(1)`\n  returns `2`", Example("f(1)", "returns", "2", ground=Ground.ANSWERED)),
        ("- `p` prints\n  ~~~\n  a\n  ~~~", Example("p", "prints", "a", ground=Ground.ANSWERED)),
    ],
)
def test_examples_written_by_hand_are_understood(item: str, example: Example):
    assert only_example(item) == example


def test_a_hand_edited_document_is_understood():
    spec = parse(
        "# Title\n\nA note.\n\n> quoted\n\n## Notes\n\nmine\n\n## Requirements\n\nSome words.\n\n"
        "### FR-7: By hand\n\n**Acceptance:**\n- `f(1)` returns `2`\n\nStated after the list.\n\n"
        "Interface: `f(n)`, `g(n)`\n\nFile: plain.py\n\nArea: Frontend\n\n#### Detail\n\n- a point\n\n"
        "## Non-functional\n\n### NFR-1 Speed\n\nFast.\n\n"
        "## Questions\n\n- [x] **Q-1** Which?\n\n  Answer: this\n  and that\n- [ ] Q-2 And?\n"
    )
    assert spec.idea == "quoted"
    first, second = spec.requirements
    assert (first.id, first.title, first.file, first.area) == ("FR-7", "By hand", "plain.py", "frontend")
    assert first.symbols == ("f(n)", "g(n)")
    assert first.statement == "Stated after the list.\n\n#### Detail\n\n- a point"
    assert len(first.examples) == 1
    assert (second.id, second.statement) == ("NFR-1", "Fast.")
    assert [question.answer for question in spec.questions] == ["this and that", None]


def test_headings_inside_code_are_code():
    spec = parse("# T\n## Goal\n```\n## Requirements\n### x\n```\n## Requirements\n")
    assert spec.goal == "```\n## Requirements\n### x\n```"
    assert spec.requirements == ()


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("---\nid: x\n---\nwords\n", 1, "no title"),
        ("# T\n## Requirements\n### FR-1 t\nAcceptance:\n- works well\n### No id\n", 5, "no acceptance example"),
        ("# T\r\n<!--\r\n### No id\r\n-->\r\n## Requirements\r\n### No id\r\n", 6, "no id"),
        ("", 1, "no title"),
        ("words\n", 1, "no title"),
        ("---\nstatus: finished\n---\n# T\n", 1, "unknown"),
        ("---\nid: x\n---\n# T\n\n## Requirements\n\n### No id\n", 8, "no id"),
        ("# T\n## Requirements\n### FR-1 t\nAcceptance:\n\n- works well\n", 6, "no acceptance example"),
        ("# T\n## Requirements\n### FR-1 t\nArea: middle\n", 3, "unknown"),
        ("# T\n## Open questions\n\n- What?\n", 4, "no question"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, line: int, why: str):
    with pytest.raises(SpecError, match=f"line {line}") as refused:
        parse(text)
    assert why in refused.value.why


def test_an_approval_changes_the_front_matter_alone():
    edited = with_front_matter(PLAIN, status="approved", approved=body_sha(PLAIN))
    assert edited == PLAIN.replace("status: draft", "status: approved").replace(
        "approved:\n", f"approved: {body_sha(PLAIN)}\n"
    )
    assert body_sha(edited) == body_sha(PLAIN)
    assert parse(edited).status == "approved"
    assert body_sha(PLAIN.replace("minutes", "hours")) != body_sha(PLAIN)


def test_a_text_full_of_opening_fences_is_read_in_time():
    lines = "\n".join("```" + "x" * (n % 3) for n in range(20_000))
    assert parse(f"# T\n## Goal\n{lines}").title == "T"
