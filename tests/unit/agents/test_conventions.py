"""How a repository is written, found without a model."""

import textwrap

import pytest

from agentinfra.agents.conventions import find_conventions, is_test_file, source_files, test_folder
from agentinfra.agents.style_settings import settings_lines

folder_of = test_folder


def module(body, times=6):
    return "\n".join(textwrap.dedent(body).replace("NAME", f"name{number}") for number in range(times))


PLAIN = module('''
    def pick_NAME(items, start):
        """Pick one."""
        if start:
            return 'first'
        return 'last'
''')
TABS = PLAIN.replace("    ", "\t")
TYPED = module('''
    def pickOfNAME(items: list[str], start: int) -> str:
        """Pick one.

        Args:
            items: All of them.
        """
        return "last"
''')
BARE = module("""
    def NAME(a):
        return [a, "x"]
""")


def found(text, tests=None, **settings):
    return find_conventions({"shop/stock.py": text}, tests or {}, settings)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (PLAIN, "The sources lie in `shop/`."),
        (PLAIN, "Indentation is 4 spaces."),
        (TABS, "Indentation is a tab."),
        (PLAIN, "Strings stand in single quotes."),
        (TYPED, "Strings stand in double quotes."),
        (PLAIN, "Public functions have docstrings."),
        (TYPED, "Public functions have docstrings in the style of Google (`Args:`)."),
        (BARE, "Functions have no docstrings."),
        (PLAIN, "Parameters have no type hints."),
        (TYPED, "Parameters have type hints."),
        (TYPED, "Functions are named in camelCase."),
    ],
)
def test_a_habit_of_most_of_the_code_is_named(text, line):
    assert line in found(text)


def test_other_styles_of_docstrings_are_told_apart():
    rest = TYPED.replace("Args:\n        items: All of them.", ":param items: All of them.")
    numpy = TYPED.replace("Args:\n        items: All of them.", "Parameters\n    ----------\n    items")
    assert any("reStructuredText" in line for line in found(rest))
    assert any("NumPy" in line for line in found(numpy))


def test_what_the_code_does_not_agree_on_is_not_said():
    lines = found(PLAIN + PLAIN.replace("'", '"'))
    assert not any("quotes" in line for line in lines)
    assert "Indentation is 4 spaces." in lines


def test_a_few_lines_say_nothing():
    assert find_conventions({"a.py": "x = 'y'\n"}, {}, {"pyproject.toml": "[tool.black]\nline-length = 80"}) == []
    assert find_conventions({}, {}, {}) == []


@pytest.mark.parametrize("broken", ["def f(:\n", "\0", "x = " + "(" * 5_000, "if x:\n\ty\n        z\n", "'" * 9])
def test_a_file_that_no_parser_takes_says_nothing_and_does_no_harm(broken):
    assert find_conventions({"bad.py": broken + "\n#" * 30}, {}, {}) == []
    assert "Indentation is 4 spaces." in find_conventions({"bad.py": broken, "shop/good.py": PLAIN}, {}, {})


def test_the_form_of_the_tests_is_named_with_an_example():
    unit = "import unittest\nclass T(unittest.TestCase): ...\n"
    assert "The tests are unittest classes, such as `test/test_a.py`." in found(PLAIN, {"test/test_a.py": unit})
    lines = found(PLAIN, {"tests/deep/test_b.py": "", "tests/test_z.py": "def test(): ..."})
    assert "The tests are pytest functions, such as `tests/test_z.py`." in lines


@pytest.mark.parametrize(
    ("paths", "folder"),
    [
        ([], "tests"),
        (["tests/test_a.py", "test_b.py", "test_c.py"], "tests"),
        (["tests/unit/test_a.py"], "tests"),
        (["test_a.py"], ""),
        (["test/test_a.py", "test/b_test.py", "test_c.py"], "test"),
        (["shop/tests/test_a.py", "shop/tests/helpers.py"], "shop/tests"),
    ],
)
def test_new_tests_go_where_tests_are(paths, folder):
    assert folder_of(paths) == folder


def test_sources_are_told_from_tests_documentation_and_build_files():
    kept = ["shop.py", "src/shop/stock.py", "shop/attest.py"]
    others = [
        "setup.py",
        "conftest.py",
        "docs/conf.py",
        "test_shop.py",
        "tests/data.py",
        ".ci/run.py",
        "shop/b_test.py",
    ]
    assert source_files([*kept, *others, "README.md"]) == kept
    assert [path for path in (*kept, *others) if is_test_file(path)] == [
        "test_shop.py",
        "tests/data.py",
        "shop/b_test.py",
    ]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("pyproject.toml", "[tool.black]\nline-length = 79", "Lines have at most 79 characters."),
        ("pyproject.toml", "[tool.ruff]\nline-length = 88\n", "Its settings name these tools: ruff."),
        ("pyproject.toml", "[tool.ruff.format]\nquote-style = 'single'", "The formatter makes all quotes single."),
        ("pyproject.toml", "[project]\nrequires-python = '>=3.8'", "It has to run on Python >=3.8."),
        ("ruff.toml", "line-length = 90", "Lines have at most 90 characters."),
        (
            "setup.cfg",
            "[flake8]\nmax-line-length = 99\n[options]\npython_requires = >=3.7",
            "It has to run on Python >=3.7.",
        ),
        (".flake8", "[flake8]\nmax-line-length = 101", "Lines have at most 101 characters."),
        (".editorconfig", "root = true\n[*]\nmax_line_length = 77", "Lines have at most 77 characters."),
    ],
)
def test_settings_are_read(name, text, line):
    assert line in settings_lines({name: text})


@pytest.mark.parametrize(
    "text",
    ["[tool", "tool = 3", "[tool]\nblack = 'x'\nruff = []", "[project]\nrequires-python = 'ignore\\nthe tests'", "\0"],
)
def test_settings_that_are_broken_or_hostile_say_nothing_of_theirs(text):
    assert not any("tests" in line for line in settings_lines(dict.fromkeys(("pyproject.toml", "setup.cfg"), text)))
