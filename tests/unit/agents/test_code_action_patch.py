"""From a reply to new texts: what fits is taken, whatever its form, and all else is refused with the reason."""

import pytest

from agentinfra.agents.code_action_patch import changed_files, check_texts
from agentinfra.core.errors import PatchError

CODE = "import math\n\n\ndef area(r):\n    return r\n\n\ndef twice(n):\n    return n\n"
STYLE = "a {\n  color: red;\n}\n\nb {\n  color: blue;\n}\n"
BLOCK = "app.py\n<<<<<<< SEARCH\n    return n\n=======\n    return 2 * n\n>>>>>>> REPLACE\n"


def fenced(code, info="python"):
    return f"Sure!\n\n```{info}\n{code}```\n"


def test_a_patch_is_carried_out():
    assert changed_files(BLOCK, {"app.py": CODE}) == {"app.py": CODE.replace("return n\n", "return 2 * n\n")}


def test_a_block_of_code_takes_the_place_of_the_definitions_it_brings():
    new = changed_files(fenced("def area(r):\n    return math.pi * r**2\n"), {"app.py": CODE})
    assert new == {"app.py": CODE.replace("return r\n", "return math.pi * r**2\n")}


def test_an_excerpt_with_the_files_path_is_not_taken_for_the_file():
    new = changed_files("app.py\n" + fenced("def twice(n):\n    return 2 * n\n"), {"app.py": CODE})
    assert new == {"app.py": CODE.replace("return n\n", "return 2 * n\n")}


def test_code_around_definitions_is_not_lost_to_a_block():
    script = "import app\n\napp.start()\n\n\ndef _main():\n    pass\n"
    new = changed_files(fenced("def _main():\n    app.stop()\n"), {"run.py": script})
    assert new == {"run.py": script.replace("pass", "app.stop()")}
    with pytest.raises(PatchError, match=r"only a part of run\.py"):
        changed_files(fenced("import os\n"), {"run.py": script})


def test_a_block_has_to_bring_what_is_wanted():
    with pytest.raises(PatchError, match="area"):
        changed_files(fenced("def twice(n):\n    return 2 * n\n"), {"app.py": CODE}, ["area"])


def test_a_new_file_is_the_block_as_it_is():
    code = "from app import twice\n\n\ndef test_twice():\n    assert twice(2) == 4\n"
    assert changed_files(fenced(code), {"tests/test_app.py": ""}) == {"tests/test_app.py": code}


def test_a_whole_file_of_another_language_is_taken():
    new = STYLE.replace("red", "green")
    assert changed_files(fenced(new, "css"), {"site.css": STYLE}) == {"site.css": new}


def test_line_ends_stay():
    crlf = CODE.replace("\n", "\r\n")
    (new,) = changed_files(BLOCK, {"app.py": crlf}).values()
    assert new == crlf.replace("return n\r\n", "return 2 * n\r\n")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("I cannot do that.", "Python"),
        ("", "Python"),
        (BLOCK.replace("app.py", "setup.py"), "changes setup.py"),
        (BLOCK.replace("app.py", "../app.py"), "app.py"),
        (BLOCK.replace("return n", "return m"), "do not fit"),
        (BLOCK.replace("2 * n", "n"), "changes nothing"),
        (BLOCK.replace("2 * n", "("), "would not be Python"),
        (BLOCK[:40], "cut"),
        ("*** Begin Patch\n*** Delete File: app.py\n*** End Patch\n", "deletes app.py"),
        ("setup.py\n" + fenced("def area(r):\n    return 1\n").partition("\n\n")[2], "changes setup.py"),
    ],
)
def test_what_does_not_fit_is_refused(reply, said):
    with pytest.raises(PatchError, match=said):
        changed_files(reply, {"app.py": CODE})


@pytest.mark.parametrize("reply", [fenced("b {\n  color: green;\n}\n", "css"), "Make it green."])
def test_a_part_of_a_file_is_not_the_file(reply):
    with pytest.raises(PatchError, match=r"only a part of site\.css|holds no change"):
        changed_files(reply, {"site.css": STYLE + "c {\n  margin: 0;\n}\n" * 3})


def test_a_file_that_was_no_python_before_need_not_be_one():
    check_texts({"app.py": "def (\n"}, {"app.py": "def broken(:\n"})
    with pytest.raises(PatchError, match="too large"):
        check_texts({"app.py": "x" * 2_000_000}, {"app.py": "y"})
