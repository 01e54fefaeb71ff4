"""Replies as models and tools really write them."""

import textwrap

import pytest

from agentinfra.core.errors import InputError, NotAPatch, PatchError
from agentinfra.patching.draft import draft
from agentinfra.patching.patch import Action
from agentinfra.patching.read_patch import read_patch

FILE = "def f():\n    return 1\n\n\ndef g():\n    return 2\n"
NEW = FILE.replace("return 1", "return 10")
BLOCK = "<<<<<<< SEARCH\n    return 1\n=======\n    return 10\n>>>>>>> REPLACE\n"
HUNK = "@@ -1,2 +1,2 @@\n def f():\n-    return 1\n+    return 10\n"
V4A = "*** Update File: app.py\n@@ def f():\n-    return 1\n+    return 10\n"


def after(reply: str, **files: str) -> dict[str, str | None]:
    there = {"app.py": FILE, "src/app.py": FILE, **files}
    return dict(draft(read_patch(reply), there.get).texts)


@pytest.mark.parametrize(
    "reply",
    [
        f"app.py\n{BLOCK}",
        f"app.py\n```python\n{BLOCK}```\n",
        f"```python\napp.py\n{BLOCK}```\n",
        f"```python app.py\n{BLOCK}```\n",
        f"```\n{BLOCK.replace('SEARCH', 'SEARCH app.py')}```",
        f"I will change `f`.\n\n**`app.py`**\n\n```\n{BLOCK}```\n\nThat makes it *ten*.",
        f"### File: `./app.py`:\n{BLOCK}",
        f"1. app.py\n{BLOCK}",
        "app.py\n<<<<<<< SEARCH\n:start_line:2\n-------\n    return 1\n=======\n    return 10\n>>>>>>> REPLACE\n",
        "app.py\n------- SEARCH\n    return 1\n=======\n    return 10\n+++++++ REPLACE\n",
        "app.py\n<<<<<<<< SEARCH>\n    return 1\n=====\n    return 10\n>>>>> REPLACE <<<\n",
        f"app.py\n{BLOCK}".replace("\n", "\r\n"),
    ],
)
def test_search_replace_blocks(reply: str) -> None:
    assert after(reply) == {"app.py": NEW}


@pytest.mark.parametrize(
    "reply",
    [
        f"*** Begin Patch\n{V4A}*** End Patch\n",
        f"Sure:\n```\n*** Begin Patch\n{V4A}*** End Patch\n```\nDone.",
        f"```patch\n*** Begin Patch\n{V4A}```",
        f"```\n{V4A}```\n",
        f"apply_patch <<'EOF'\n*** Begin Patch\n{V4A}*** End Patch\nEOF\n",
        "*** Begin Patch\n*** Update File: app.py\ndef f():\n-    return 1\n+    return 10\n*** End Patch",
        "*** Begin Patch\n*** Update File: app.py\n@@ -1,2 +1,2 @@\n def f():\n-    return 1\n+    return 10\n\n"
        "*** End Patch",
        f"*** Begin Patch\n{V4A}*** End Patch\n".replace("\n", "\r\n"),
    ],
)
def test_v4a(reply: str) -> None:
    assert after(reply) == {"app.py": NEW}


@pytest.mark.parametrize(
    "reply",
    [
        f"--- a/app.py\n+++ b/app.py\n{HUNK}",
        f"--- app.py\n+++ app.py\n{HUNK}",
        f"--- app.py.orig\t2024-01-01 10:00:00.000000000 +0000\n+++ app.py\t2024-01-01 10:00:01 +0000\n{HUNK}",
        f"--- one/app.py\n+++ two/app.py\n{HUNK}",
        f"diff --git i/app.py w/app.py\nindex 1234567..89abcde 100644\n--- i/app.py\n+++ w/app.py\n{HUNK}",
        f"```diff\n--- a/app.py\n+++ b/app.py\n{HUNK}```\n- a bullet",
        f"`app.py`:\n```diff\n{HUNK}```\n",
        f"```diff app.py\n{HUNK}```\n",
        f"--- a/app.py\n+++ b/app.py\n{HUNK}\n- a bullet of prose\n",
        f"From: someone\n\n--- a/app.py\n+++ b/app.py\n{HUNK}-- \n2.39.2\n",
        "```diff\n--- a/app.py\n+++ b/app.py\n@@ -1,9 +1,7 @@\n def f():\n-    return 1\n+    return 10\n```",
        "```diff\n--- a/app.py\n+++ b/app.py\n@@ -1,1 +1,1 @@\n def f():\n-    return 1\n+    return 10\n```",
        "```diff\n--- a/app.py\n+++ b/app.py\n@@ ... @@\n def f():\n-    return 1\n+    return 10\n```",
        "```diff\n--- a/app.py\n+++ b/app.py\n@@ def f(): @@\n-    return 1\n+    return 10\n```",
        "```diff\n--- a/app.py\n+++ b/app.py\n@@ -1,5 +1,5 @@\n def f():\n-    return 1\n+    return 10\n\n\n"
        " def g():\n```",
    ],
)
def test_unified_diffs(reply: str) -> None:
    assert after(reply) == {"app.py": NEW}


@pytest.mark.parametrize(
    "reply",
    [
        "new.py\n```python\nx = 1\n```\n",
        "```python new.py\nx = 1\n```",
        "```python:new.py\nx = 1\n```",
        '```python title="new.py"\nx = 1\n```',
        "Here is **new.py**, as asked:\n\n#### `new.py`\n\n~~~~\nx = 1\n~~~~\nRun it.",
    ],
)
def test_whole_files(reply: str) -> None:
    assert after(reply) == {"new.py": "x = 1\n"}


def test_a_file_that_holds_fences_and_patches_is_taken_whole() -> None:
    text = f"# Title\n\n```bash\nls\n```\n\nMore:\n\n```\nplain\n```text\n{BLOCK}```\n```\n"
    assert after(f"README.md\n`````markdown\n{text}`````\n") == {"README.md": text}


def test_several_patches_of_all_formats_in_one_reply() -> None:
    reply = (
        f"First:\n\napp.py\n{BLOCK}\nthen again in it:\n"
        "<<<<<<< SEARCH\n    return 2\n=======\n    return 20\n>>>>>>> REPLACE\n\n"
        "```diff\n--- a/src/app.py\n+++ b/src/app.py\n" + HUNK + "```\n\n"
        "*** Begin Patch\n*** Delete File: old.py\n*** Update File: name.py\n*** Move to: other.py\n*** End Patch\n\n"
        "and `new.py`:\n\nnew.py\n```python\nx = 1\n```\n"
    )
    both = NEW.replace("return 2", "return 20")
    expected = {
        "app.py": both,
        "src/app.py": NEW,
        "old.py": None,
        "name.py": None,
        "other.py": "n\n",
        "new.py": "x = 1\n",
    }
    assert after(reply, **{"old.py": "o\n", "name.py": "n\n"}) == expected


def test_a_block_sees_what_the_block_before_it_did() -> None:
    again = "<<<<<<< SEARCH\n    return 10\n=======\n    return 11\n>>>>>>> REPLACE\n"
    assert after(f"app.py\n{BLOCK}{again}") == {"app.py": FILE.replace("return 1", "return 11")}


def test_an_excerpt_beside_blocks_never_replaces_its_file() -> None:
    with pytest.raises(PatchError, match="one is there"):
        after(f"app.py\n{BLOCK}\nsrc/app.py\n```python\n    return 10\n```\n")


def test_demonstrations_and_prose_around_a_patch_are_passed_over() -> None:
    reply = f'app.py\n{BLOCK}\nUse it:\n```python\nprint(f())\n"""\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n"""\n```\n'
    assert after(reply) == {"app.py": NEW}


def test_a_block_that_searches_for_nothing_makes_a_file_or_fills_an_empty_one() -> None:
    reply = "new.py\n<<<<<<< SEARCH\n=======\nx = 1\n>>>>>>> REPLACE\n"
    assert after(reply) == after(reply, **{"new.py": "\n"}) == {"new.py": "x = 1\n"}
    with pytest.raises(PatchError, match="one is there"):
        after(reply, **{"new.py": "y\n"})


def test_contents_that_hold_markers_need_longer_ones() -> None:
    rst = "Title\n=======\n\ntext\n"
    short = "a.rst\n<<<<<<< SEARCH\nTitle\n=======\n=======\nOther\n=======\n>>>>>>> REPLACE\n"
    with pytest.raises(PatchError, match="dividing lines"):
        read_patch(short)
    long = f"a.rst\n{'<' * 12} SEARCH\nTitle\n=======\n{'=' * 12}\nOther\n=======\n{'>' * 12} REPLACE\n"
    assert after(long, **{"a.rst": rst}) == {"a.rst": rst.replace("Title", "Other")}


def test_git_says_more_than_changed_lines() -> None:
    reply = textwrap.dedent("""\
        diff --git a/old.py b/pkg/new.py
        similarity index 100%
        rename from old.py
        rename to pkg/new.py
        diff --git a/empty.py b/empty.py
        new file mode 100755
        index 0000000..e69de29
        diff --git a/gone.py b/gone.py
        deleted file mode 100644
        index e69de29..0000000
        diff --git a/app.py b/app.py
        old mode 100644
        new mode 100755
        diff --git "a/s\\303\\244.py" "b/s\\303\\244.py"
        --- "a/s\\303\\244.py"
        +++ "b/s\\303\\244.py"
        @@ -1 +1 @@
        -x
        \\ No newline at end of file
        +y
        """)
    there = {"old.py": "o\n", "gone.py": "", "sä.py": "x", "app.py": FILE}
    patch = read_patch(reply)
    assert dict(draft(patch, there.get).texts) == {
        "old.py": None,
        "pkg/new.py": "o\n",
        "empty.py": "",
        "gone.py": None,
        "sä.py": "y\n",
    }
    assert ["100755" in note for note in patch.notes] == [True, True]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n", "symbolic link"),
        ("diff --git a/s b/s\nindex 1234567..89abcde 160000\n--- a/s\n+++ b/s\n@@ -1 +1 @@\n-a\n+b\n", "submodule"),
        ("diff --git a/p b/p\nindex 1234567..89abcde\nBinary files a/p and b/p differ\n", "no text"),
        ("diff --git a/p b/p\nindex 1234567..89abcde\nGIT binary patch\nliteral 3\n", "no text"),
        ("diff --git a/p b/q\nsimilarity index 90%\ncopy from p\ncopy to q\n", "copies"),
        (f"{HUNK}", "no file"),
        (BLOCK, "names no file"),
        ("--- a/app.py\n+++ b/app.py\n@@ -1,4 +1,4 @@\n def f():\n-    return 1\n", "may have been cut"),
        ("--- a/app.py\n+++ b/app.py\n@@ -1,1 +1,1 @@\n def f():\n\n-    return 1\n+    return 10\n", "no hunk"),
        ("app.py\n<<<<<<< SEARCH\na\n=======\nb\n", "reply was cut"),
        (f"app.py\n<<<<<<< SEARCH\na\n{BLOCK}", "before the next one"),
        ("app.py\n<<<<<<< SEARCH\na\n>>>>>>> REPLACE\n", "no dividing line"),
        (f"*** Begin Patch\n{V4A}", "may be cut"),
        ("*** Begin Patch\n*** Update File: app.py\n*** End Patch", "without any change"),
        ("*** Begin Patch\nwhat is this\n*** End Patch", "belongs to no file"),
        ("*** Begin Patch\n*** Add File: a\n+a\nb\n*** End Patch", "lacks its +"),
        ("*** Begin Patch\n*** Delete File: a\n-a\n*** End Patch", "deleted"),
        ("app.py\n```python\ndef f():\n    return 1\n", "no end"),
        ("app.py\n```python\ndef f():\n    return 1\n\n# ... rest of the code unchanged ...\n```\n", "not whole"),
        ("app.py\n```\na\n```\napp.py\n```\nb\n```\n", "twice"),
    ],
)
def test_what_is_cut_or_means_nothing_is_refused(reply: str, told: str) -> None:
    with pytest.raises(PatchError, match=told) as caught:
        read_patch(reply)
    assert caught.value.next_step
    assert not isinstance(caught.value, NotAPatch)


@pytest.mark.parametrize(
    ("reply", "format"),
    [
        ("", "auto"),
        ("I cannot do that.", "auto"),
        ("```python\nprint(1)\n```", "auto"),
        ("---\ntitle: x\n---\n- a\n- b\n", "auto"),
        ("a <<<<<<< SEARCH in prose", "auto"),
        (f"app.py\n{BLOCK}", "unified"),
        (f"--- a/app.py\n+++ b/app.py\n{HUNK}", "v4a"),
        (f"*** Begin Patch\n{V4A}*** End Patch\n", "whole"),
        (f"*** Begin Patch\n{V4A}*** End Patch\n", "search-replace"),
    ],
)
def test_what_is_no_patch_is_said_to_be_none(reply: str, format: str) -> None:
    with pytest.raises(NotAPatch):
        read_patch(reply, format)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(InputError, match="no patch format 'ed'"):
        read_patch("", "ed")


def test_everything_in_a_fence_of_the_whole_format_is_its_text() -> None:
    patch = read_patch(f"a.md\n```\n{BLOCK}```\n", "whole")
    assert [(edit.path, edit.action, edit.text) for edit in patch.edits] == [("a.md", Action.WRITE, BLOCK)]
