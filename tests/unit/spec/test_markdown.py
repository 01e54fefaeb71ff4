import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.spec.markdown import (
    code,
    code_span,
    fenced_blocks,
    item_tokens,
    line_tokens,
    one_line,
    protect,
    render_item,
    unprotect,
    words,
)

lines = st.lists(
    st.sampled_from(["#", "\\# x", "File: a", "**file**\\: a", "```", "````", "~~~py", "\\```", "text", "", "  # x"]),
    max_size=12,
)


@settings(deadline=None)
@given(lines)
def test_protected_prose_comes_back_and_opens_no_block(parts: list[str]):
    text = "\n".join(parts)
    safe = protect(text)
    assert unprotect(safe) == text
    inside = {n for start, end in fenced_blocks(safe.split("\n")) for n in range(start, end + 1)}
    outside = [line for n, line in enumerate(safe.split("\n")) if n not in inside]
    assert not any(line.lstrip().lower().startswith(("#", "file:", "**file**:", "```", "~~~")) for line in outside)


@settings(deadline=None)
@given(st.text(st.sampled_from("` a\\"), min_size=1, max_size=10))
def test_a_code_span_holds_any_text(text: str):
    assert [token for token in line_tokens(f"x {code_span(text)} y") if token.kind == "code"] == [code(text)]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        (" a ", "`  a  `"),
        ("  ", "`  `"),
        ("a ``` b", "````a ``` b````"),
    ],
)
def test_code_spans_are_no_longer_than_needed(text: str, span: str):
    assert code_span(text) == span


def test_an_item_with_a_block_reads_back():
    item = render_item([words("after"), code("for x in y:\n    pass"), words("then"), code("f()"), code("")])
    tokens = item_tokens(item.removeprefix("- ").split("\n"))
    assert [token.text for token in tokens if token.kind == "code"] == ["for x in y:\n    pass", "f()", ""]


def test_unclosed_fences_are_text():
    assert list(fenced_blocks(["```", "a", "~~~", "b", "~~~~", "```x"])) == [(2, 4)]


def test_one_line_squeezes_everything():
    assert one_line(" a\n\n## b\t c ") == "a ## b c"
