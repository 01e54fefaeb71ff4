import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.core.errors import SpecError
from agentinfra.spec.diagnostics import check_documents
from agentinfra.spec.document import parse
from agentinfra.spec.source import Mention, render
from agentinfra.spec.spec_source import read_spec
from agentinfra.spec.tasks_document import parse_tasks
from agentinfra.spec.tasks_source import read_tasks

PIECES = [
    "# T", "## Goal", "## Requirements", "## Questions", "## User stories", "### FR-1 · A", "###  NFR-2 # B ",
    "### No id",
    "> said", "> more", "words", "  words", "", "  ", "<!-- one -->", "<!--", "-->", "```", "~~~", "---", "status: odd",
    "File: a.py", "Files", "Interface: `f()` and `` g`h` ``", "Interface:", "Acceptance:", "- `f(1)` returns `2`",
    "- `x`",
    "* f() raises E", "- fine", "- Given a", "  When b", "  Then c", "-", "- [ ] Q-1 · Which?", "- [x] **Q-2** A",
    "  - Answer: b", "  Why:", "- [ ] T-1 · A _(done: b)_", "* [x] **T-2** B", "  - Requirements: FR-1,FR-2 and T-3",
    "  - Files: `a`, `` b ``", "  - Symbols: a, b,c", "  - depends on:T-1", "- [ ] no",
]  # fmt: skip
texts = st.one_of(
    st.text(),
    st.builds(
        str.join,
        st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
        st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=30),
    ),
)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(["", "\ufeff", "---\nid: a\n---\n"]), texts)
def test_the_blocks_of_any_text_make_up_the_text(front: str, body: str):
    text = front + body
    for source in (read_spec(text), read_tasks(text)):
        assert render(text, source.blocks) == text
        assert all(one.end == two.start for one, two in pairwise(source.blocks))
        assert [one.start for one in source.blocks[:1]] == [0][: len(text)]
        assert all(one.end > one.start for one in source.blocks)
        assert len(source.labels) == len(source.body.lines)


@settings(deadline=None, max_examples=300)
@given(texts)
def test_everything_stands_where_it_is_said_to_stand(text: str):
    spec, tasks = read_spec(text), read_tasks(text)
    found: list[Mention] = [one.title for one in spec.sections]
    for requirement in spec.requirements:
        found += [requirement.id, requirement.title]
    for question in spec.questions:
        found += [question.id, question.text]
        assert text[slice(*question.box)] in (" ", "x", "X")
    for task in tasks.tasks:
        found += [task.id, task.title, *task.requirements, *task.depends_on, *task.files, *task.symbols]
        assert text[slice(*task.box)] in tuple(" ~xX!")
        assert task.state in text[slice(*task.mark)]
        assert all(text[: span.start].rstrip().lower().endswith(f"{name}:") for name, span in task.fields.items())
    for mention in found:
        assert text[mention.start : mention.end] == mention.name


@settings(deadline=None, max_examples=300)
@given(texts)
def test_the_parsers_refuse_what_the_readers_have_a_problem_with_and_nothing_else(text: str):
    for read, parser in ((read_spec, parse), (read_tasks, parse_tasks)):
        source = read(text)
        try:
            parser(text)
        except SpecError as error:
            places = [source.body.position(one.span.start).line for one in source.problems]
            twice = "is used twice" in error.why
            assert twice or error.what.endswith(f"at line {places[0]}")
        else:
            assert not source.problems


def test_every_line_of_a_specification_is_known_for_what_it_is():
    text = (
        "---\nid: a\n---\n# T\n> idea\nwords\n> no idea\n## Goal\ng\n<!-- c -->\n## Out of scope\n- one\n  two\n"
        "## Notes\nn\n## Requirements\n### FR-1 · A\ns\nFile: `a`\nAcceptance:\n- f() returns 1\n  (stated)\n\n"
        "## Questions\n- [ ] Q-1 · A?\n  - Why: b\n"
    )
    source = read_spec(text)
    assert [(block.kind, block.owner) for block in source.blocks] == [
        ("front matter", ""), ("title", ""), ("idea", ""), ("text", ""), ("heading", ""), ("goal", ""), ("comment", ""),
        ("heading", ""), ("out of scope", ""), ("heading", ""), ("text", ""), ("heading", ""), ("heading", "FR-1"),
        ("statement", "FR-1"), ("file", "FR-1"), ("acceptance", "FR-1"), ("example", "FR-1"), ("acceptance", "FR-1"),
        ("heading", ""), ("question", "Q-1"),
    ]  # fmt: skip


def test_an_odd_letter_that_matches_in_any_case_makes_no_label():
    (requirement,) = parse("# T\n### FR-1 · A\nF\u0131le: a.py\n").requirements
    assert (requirement.statement, requirement.file, requirement.area) == ("F\u0131le: a.py", "", "backend")


def test_only_the_first_quoted_lines_are_the_request():
    assert parse("# T\nwords\n> one\n<!-- c -->\n> two\n\n> three\n# U\n> four\n").idea == "one\ntwo"


LONG = 100_000
# Each of these took time in proportion to the square of its length, or worse, with a reader that was less careful.
SLOW = {
    "opening fences": "```x\n" * (LONG // 5),
    "ever shorter fences": "\n".join("`" * size + "x" for size in range(300, 3, -1)) + "\n```" * 10_000,
    "opening comments": "<!--\n" * (LONG // 5),
    "backticks of any number": "".join(f"{'`' * size} " for size in range(1, 440)),
    "blanks before a mark": "- [ ] T-1 · a" + " " * LONG + "x",
    "marks that begin": "- [ ] T-1 · " + "_(done: " * (LONG // 8),
    "blanks in the front matter": f"---\nkey: {' ' * LONG}\rx\n---\n",
    "underscores": "# T\n### FR-1 · A\nAcceptance:\n- `f()` returns " + "_" * LONG,
    "a criterion of many": "# T\n### FR-1 · A\nAcceptance:\n- given " + ", when a" * (LONG // 8),
    "an answer of many lines": "# T\n## Questions\n- [ ] Q-1 · A\n  - Answer:\n" + "a\n" * (LONG // 2),
    "a story of many lines": "# T\n## User stories\n- a\n" + "a\n" * (LONG // 2),
    "comments that nothing closes": "# T\n### FR-1 · A\nAcceptance:\n- " + "<!-- a" * (LONG // 6),
    "a criterion of many lines": "# T\n### FR-1 · A\nAcceptance:\n- when a\n" + " b\n" * (LONG // 3) + " then c",
}


@pytest.mark.parametrize("name", SLOW)
def test_time_grows_with_the_size_alone(name: str):
    text, begin = SLOW[name], time.process_time()
    for source in (read_spec(text), read_tasks(text)):
        assert render(text, source.blocks) == text
    check_documents(read_spec(text), read_tasks(text))
    assert time.process_time() - begin < 2
