"""The visible ladder: each step in each format, with what the file reads afterwards."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from agentinfra.core.errors import PatchError
from agentinfra.patching.draft import draft
from agentinfra.patching.patch import Step
from agentinfra.patching.read_patch import read_patch

Lines = list[tuple[str, str]]


class Case(NamedTuple):
    """A file, the change as a model writes it (mark and line), and the file afterwards."""

    step: Step
    file: str
    change: Lines
    after: str


def change(text: str) -> Lines:
    return [(line[0], line[1:]) for line in text.split("|")]


def search_replace(lines: Lines) -> str:
    old = "".join(line + "\n" for mark, line in lines if mark != "+")
    new = "".join(line + "\n" for mark, line in lines if mark != "-")
    return f"app.py\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n"


def v4a(lines: Lines) -> str:
    body = "".join(mark + line + "\n" for mark, line in lines)
    return f"*** Begin Patch\n*** Update File: app.py\n@@\n{body}*** End Patch\n"


def unified(lines: Lines) -> str:
    body = "".join(mark + line + "\n" for mark, line in lines)
    old, new = (sum(mark != other for mark, _ in lines) for other in "+-")
    return f"--- a/app.py\n+++ b/app.py\n@@ -90,{old} +90,{new} @@\n{body}"


FORMATS: dict[str, Callable[[Lines], str]] = {"search-replace": search_replace, "v4a": v4a, "unified": unified}

CASES = {
    "as it stands": Case(Step.EXACT, "a\nb\nc\n", change(" a|-b|+B| c"), "a\nB\nc\n"),
    "several lines for one": Case(Step.EXACT, "a\nb\n", change("-b|+x|+y"), "a\nx\ny\n"),
    "blanks at the end, in the file": Case(Step.TRAILING_BLANKS, "a  \nb\t\nc\n", change(" a|-b|+B"), "a  \nB\nc\n"),
    "blanks at the end, in the patch": Case(Step.TRAILING_BLANKS, "a\nb\n", change(" a |-b|+B"), "a\nB\n"),
    "a byte order mark": Case(Step.TRAILING_BLANKS, "\ufeffa\nb\n", change("-a|+A"), "\ufeffA\nb\n"),
    "a byte order mark on a line that stays": Case(
        Step.TRAILING_BLANKS, "\ufeffa\nb\n", change(" a|-b|+B"), "\ufeffa\nB\n"
    ),
    "line ends of the file": Case(Step.LINE_ENDS, "a\r\nb\r\n", change(" a|-b|+B|+C"), "a\r\nB\r\nC\r\n"),
    "no end at the end": Case(Step.LINE_ENDS, "a\nb", change(" a|-b|+B"), "a\nB"),
    "no end at the end, added to": Case(Step.LINE_ENDS, "a\r\nb", change(" b|+c"), "a\r\nb\r\nc"),
    "no end at the end, line stays": Case(Step.LINE_ENDS, "a\nb", change("-a|+A| b"), "A\nb"),
    "indented deeper": Case(
        Step.INDENTATION,
        "class A:\n    def f(self):\n        return 1\n",
        change(" def f(self):|-    return 1|+    if self:|+        return 2|+    return 3"),
        "class A:\n    def f(self):\n        if self:\n            return 2\n        return 3\n",
    ),
    "indented less": Case(
        Step.INDENTATION,
        "def f():\n    return 1\n",
        change("     def f():|-        return 1|+        return 2"),
        "def f():\n    return 2\n",
    ),
    "tabs in the file": Case(
        Step.INDENTATION,
        "\tif a:\n\t\treturn 1\n",
        change("     if a:|-        return 1|+        for b in a:|+            c()"),
        "\tif a:\n\t\tfor b in a:\n\t\t\tc()\n",
    ),
    "two blanks for four": Case(
        Step.INDENTATION,
        "def f():\n    if a:\n        b()\n",
        change(" def f():|   if a:|-    b()|+    if c:|+      d()"),
        "def f():\n    if a:\n        if c:\n            d()\n",
    ),
    "one tab for four blanks, one line known": Case(
        Step.INDENTATION, "f:\n\ta = 1\n", change("-    a = 1|+    a = 2"), "f:\n\ta = 2\n"
    ),
    "punctuation": Case(
        Step.PUNCTUATION,
        "# It’s “quoted” – here…\na = 1\n",
        change(""" # It's "quoted" - here...|-a = 1|+a = 2"""),
        "# It’s “quoted” – here…\na = 2\n",
    ),
    "punctuation of the model": Case(
        Step.PUNCTUATION, 's = "it\'s"\n', change("-s = “it’s”|+s = 'other'"), "s = 'other'\n"
    ),
    "no-break blanks": Case(Step.PUNCTUATION, "a\u00a0= 1\n", change("-a = 1|+a = 2"), "a = 2\n"),
    "a comment that drifted": Case(
        Step.DRIFT,
        "# compute the total sum\ndef f(a):\n    b = a\n    return b\n",
        change(" # computes the total|def f(a):|     b = a|-    return b|+    return -b".replace("|def", "| def")),
        "# compute the total sum\ndef f(a):\n    b = a\n    return -b\n",
    ),
    "a blank line more in the file": Case(Step.DRIFT, "a\n\nb\nc\n", change(" a| b|-c|+C"), "a\n\nb\nC\n"),
    "a blank line less in the file": Case(Step.DRIFT, "a\nb\nc\n", change(" a| | b|-c|+C"), "a\nb\nC\n"),
    "drift and indentation": Case(
        Step.DRIFT,
        "    # the first one\n    a = 1\n\n    b = 2\n    c = 3\n",
        change(" # the very first one| a = 1| b = 2|-c = 3|+c = 4"),
        "    # the first one\n    a = 1\n\n    b = 2\n    c = 4\n",
    ),
}


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", CASES)
def test_a_step_places_the_hunk_and_is_recorded(name: str, format: str) -> None:
    case = CASES[name]
    done = draft(read_patch(FORMATS[format](case.change)), {"app.py": case.file}.get)
    assert done.texts["app.py"] == case.after
    assert [hunk.step for hunk in done.results[0].hunks] == [case.step]


@pytest.mark.parametrize(
    ("file", "after"),
    [("old\r\nb\r\n", "new\r\n"), ("\ufeffold\n", "\ufeffnew\n"), ("old", "new"), ("\ufeffa\r\nb", "\ufeffnew")],
    ids=["line ends", "byte order mark", "no end", "all"],
)
def test_a_whole_file_keeps_how_the_file_was_written(file: str, after: str) -> None:
    done = draft(read_patch("app.py\n```\nnew\n```\n"), {"app.py": file}.get)
    assert done.texts["app.py"] == after


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("file", "lines", "told"),
    [
        ("x\na\ny\na\n", "-a|+b", "2 places: lines 2, 4"),
        ("x\n  a\ny\n a\n", "-a|+b", "2 places: lines 2, 4"),
        (
            "# one two three\na\nb\nc\n\n# one two tree\na\nb\nc\n",
            " # one two thre| a| b|-c|+C",
            "2 places: lines 1, 6",
        ),
    ],
    ids=["exact", "indentation", "drift"],
)
def test_two_places_that_fit_are_listed_and_refused(format: str, file: str, lines: str, told: str) -> None:
    with pytest.raises(PatchError, match=told):
        draft(read_patch(FORMATS[format](change(lines))), {"app.py": file}.get)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("file", "lines"),
    [
        ("keep this line\na\nb\nc = 1\n", " keep this line| a| b|-c = 2|+c = 3"),
        ("alpha beta\nb\nc\nd\n", " something else entirely| b| c|-d|+D"),
        ("one two\nthree four\nc\nd\n", " one twoo| three for| c|-d|+D"),
        ("x\ny\na\nb\n", " x| y| a|-|-b|+c"),
        ("a\nb\n", "-a|+c| "),
        ("if a:\n    b\n    c\n", " if a:| b|   c|+d"),
    ],
    ids=[
        "a removed line differs",
        "not alike",
        "too much drifts",
        "a removed blank line",
        "one line",
        "indentation unclear",
    ],
)
def test_what_lies_beyond_the_bounds_is_refused(format: str, file: str, lines: str) -> None:
    with pytest.raises(PatchError, match="do not fit"):
        draft(read_patch(FORMATS[format](change(lines))), {"app.py": file}.get)


@pytest.mark.parametrize("format", FORMATS)
def test_applied_again_it_says_what_stands(format: str) -> None:
    patch = read_patch(FORMATS[format](change(" a|+b| c")))
    once = draft(patch, {"app.py": "a\nc\n"}.get).texts["app.py"]
    with pytest.raises(PatchError, match="stands already in line 1"):
        draft(patch, {"app.py": once}.get)


@pytest.mark.parametrize("format", FORMATS)
def test_an_insertion_below_a_line_is_not_made_twice(format: str) -> None:
    patch = read_patch(FORMATS[format](change(" a|+b")))
    with pytest.raises(PatchError, match="stands already"):
        draft(patch, {"app.py": "a\nb\n"}.get)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("file", "lines"), [("x\n", "-  x|+x"), ("a\nb\n", " a|-b |+b"), ("“a”\n", '-"a"|+“a”')])
def test_a_result_that_stands_more_exactly_than_what_was_there_is_left(format: str, file: str, lines: str) -> None:
    with pytest.raises(PatchError, match="stands already"):
        draft(read_patch(FORMATS[format](change(lines))), {"app.py": file}.get)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("file", ["\nb\nc\na\n", "b\nc\n\na\n", "x\n\nb\nc\na\n"])
def test_an_insertion_is_not_made_twice_where_context_drifts(format: str, file: str) -> None:
    patch = read_patch(FORMATS[format](change(" |+b| c| a")))
    with pytest.raises(PatchError, match="stands already"):
        draft(patch, {"app.py": file}.get)


def test_a_line_number_of_a_diff_decides_only_where_it_is_exact() -> None:
    file = "a\nx\na\ny\na\n"
    text = "--- a/app.py\n+++ b/app.py\n@@ -{},1 +3,1 @@\n-a\n+b\n"
    assert draft(read_patch(text.format(3)), {"app.py": file}.get).texts["app.py"] == "a\nx\nb\ny\na\n"
    with pytest.raises(PatchError, match="3 places"):
        draft(read_patch(text.format(2)), {"app.py": file}.get)


FUNCTIONS = "class A:\n    def f(self):\n        return 1\n\n\nclass B:\n    def f(self):\n        return 1\n"


@pytest.mark.parametrize("anchors", ["@@ class B:", "@@ class B", "@@ class B:\n@@     def f(self):", "@@ class B: @@"])
def test_anchors_of_v4a_tell_places_apart(anchors: str) -> None:
    text = f"*** Begin Patch\n*** Update File: app.py\n{anchors}\n-        return 1\n+        return 2\n*** End Patch"
    done = draft(read_patch(text), {"app.py": FUNCTIONS}.get).texts["app.py"]
    assert done == FUNCTIONS[:-2] + "2\n"


def test_an_anchor_ends_where_its_block_ends() -> None:
    text = "*** Begin Patch\n*** Update File: app.py\n@@ class A:\n-        return 1\n+        return 2\n*** End Patch"
    assert draft(read_patch(text), {"app.py": FUNCTIONS}.get).texts["app.py"] == FUNCTIONS.replace("1", "2", 1)


def test_the_end_of_the_file_tells_places_apart_in_v4a() -> None:
    text = "*** Begin Patch\n*** Update File: app.py\n@@\n-a\n+b\n*** End of File\n*** End Patch"
    assert draft(read_patch(text), {"app.py": "a\nx\na\n"}.get).texts["app.py"] == "a\nx\nb\n"


def test_lines_that_a_block_repeats_keep_the_version_of_the_file() -> None:
    lines = change("-a = 1|-say('it’s')|-b = 1|+a = 2|+say('it’s')|+b = 2".replace("’", "'"))
    done = draft(read_patch(search_replace(lines)), {"app.py": "a = 1\nsay('it’s')\nb = 1\n"}.get)
    assert done.texts["app.py"] == "a = 2\nsay('it’s')\nb = 2\n"
