"""Examples of one call, and whether they can both hold."""

from __future__ import annotations

import pytest

from agentinfra.spec.checks.finding import Diagnostic, Documents
from agentinfra.spec.checks.results import result_conflicts
from agentinfra.spec.spec_source import read_spec


def found(*items: str, files: tuple[str, str] = ("a.py", "a.py")) -> list[Diagnostic]:
    """Check two requirements: the first has the first example, the second the others."""
    parts = [
        f"### FR-{number} · A\n\nFile: `{file}`\n\nAcceptance:\n\n" + "\n".join(part)
        for number, (file, part) in enumerate(zip(files, ([items[0]], items[1:]), strict=True), 1)
    ]
    return list(result_conflicts(Documents(read_spec("# T\n\n## Requirements\n\n" + "\n\n".join(parts) + "\n"))))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("- `f(1)` returns `2`", "- `f(1)` returns `3`"),
        ("- `f(1)` returns `2`", "- `f( 1 )` raises `ValueError`"),
        ("- `f(1)` → `2`", "* `f(1)` gives `3`"),
        ("- `f(1)` returns `2`", "- `f(1)` returns 3"),
        ("- after `g = G()` then `g.f(1)` returns `2`", "- after `g = G()` then `g.f(1)` returns `3`"),
        ("- `python a.py` prints `x`", "- `python a.py` prints nothing"),
        ("- `python a.py` prints `2`", "- `python a.py` prints `2.0`"),
        ("- `f(1)` returns `2`", "-\n  ```\n  f(1)\n  ```\n  returns `3`"),
        ("- `f(1)` returns `g(1)`", "- `f(1)` returns `g(2)`"),
    ],
)
def test_two_results(one: str, other: str):
    (finding,) = found(one, other)
    assert (finding.subject, finding.fix) == ("FR-2", None)
    assert finding.related[0].message.startswith("FR-1 says that it ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("- `f(1)` returns `2`", "- `f(2)` returns `3`"),
        ("- `f(1)` returns `2`", "- `f(1)` returns `2.0`"),
        ("- `f(1)` returns `2`", "- `f(1)` returns ` 2 `"),
        ("- `f(1)` returns `'a'`", '- `f(1)` returns `"a"`'),
        ("- `f('a b')` returns `2`", "- `f('ab')` returns `3`"),
        ("- `f(1)` returns `g( 1)`", "- `f(1)` returns `g(1)`"),
        ("- after `g = G(1)` then `g.f(1)` returns `2`", "- after `g = G(2)` then `g.f(1)` returns `3`"),
        ("- `f(1)` raises `ValueError`", "- When `f(1)` is called, then it returns 2"),
        ("- `python a.py 'x y'` prints `1`", "- `python a.py 'xy'` prints `2`"),
    ],
)
def test_no_two_results(one: str, other: str):
    assert found(one, other) == []


def test_one_call_in_two_files():
    assert found("- `f(1)` returns `2`", "- `f(1)` returns `3`", files=("a.py", "b.py")) == []


@pytest.mark.parametrize(
    ("one", "other", "title"),
    [
        ("- `f(1)` returns `2` _(stated)_", "- `f(1)` returns `3` _(guessed)_", "Take out the guess that it returns 3"),
        ("- `f(1)` returns `2` _(guessed)_", "- `f(1)` returns `3`", "Take out the guess that it returns 2"),
    ],
)
def test_a_guess_gives_way(one: str, other: str, title: str):
    (finding,) = found(one, other)
    assert finding.fix is not None and finding.fix.title == title


@pytest.mark.parametrize(
    "call",
    [
        "f(" * 900 + ")" * 900,
        "f(\x00)",
        "f(1" + " + 1" * 900 + ")",
        "f('\\d')",
        "f(" + "1" * 9000 + ")",
        "f(" + "-" * 1900 + "1)",
    ],
)
def test_calls_that_no_parser_takes(call: str):
    assert len(found(f"- `{call}` returns `1`", f"- `{call}` returns `2`")) == 1
