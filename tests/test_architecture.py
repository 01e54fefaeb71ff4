"""The rules of the house that hold for every file: layers, borders, sizes, names."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = [*(ROOT / "agentinfra").rglob("*.py"), *(ROOT / "server" / "agentinfra_server").rglob("*.py")]
BESIDE = list(chain.from_iterable((ROOT / folder).rglob("*.py") for folder in ("scripts", "benchmarks", "examples")))
TESTS = [path for path in (ROOT / "tests").rglob("*.py") if "node_modules" not in path.parts]
HEAVY = ("anthropic", "dbos", "git", "openai", "playwright", "sqlite_vec", "watchdog", "xllamacpp")
VAGUE = {"common", "helper", "helpers", "misc", "util", "utils"}
MOCKS = {"mock", "pytest_mock", "unittest"}
FILE_LINES, TEST_FILE_LINES, FUNCTION_LINES = 400, 600, 50


def imported(nodes: Iterator[ast.AST]) -> set[str]:
    """Top-level packages that import statements among the nodes name."""
    nodes = list(nodes)
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0}
    return {name.split(".")[0] for name in plain | named}


def at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes that run when the module is imported: not those in functions, not those for type checkers only."""
    for node in ast.iter_child_nodes(tree):
        for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if not for_types and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            yield from at_import(node)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def package_of(path: Path) -> str:
    """The folder directly under the import package: ``agentinfra/models`` for all that lies in it."""
    return "/".join(path.relative_to(ROOT).parts[:2])


def test_import_contracts_are_kept():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("library", HEAVY)
def test_a_heavy_library_is_known_to_one_package_only(library):
    users = {package_of(path) for path in SOURCE if library in imported(ast.walk(parse(path)))}
    assert len(users) <= 1


def test_no_module_imports_a_heavy_library_while_it_is_imported_itself():
    eager = {name_of(path): found for path in SOURCE if (found := imported(at_import(parse(path))) & set(HEAVY))}
    assert eager == {}


def test_only_the_server_knows_the_editor_protocol():
    library = [path for path in SOURCE if path.is_relative_to(ROOT / "agentinfra")]
    assert [name_of(p) for p in library if imported(ast.walk(parse(p))) & {"pygls", "lsprotocol"}] == []


def test_no_module_has_a_name_that_says_nothing():
    named = {path: {*path.relative_to(ROOT).with_suffix("").parts} for path in [*SOURCE, *BESIDE, *TESTS]}
    assert [name_of(path) for path, names in named.items() if names & VAGUE] == []


def test_files_stay_small():
    limits = [(path, FILE_LINES) for path in SOURCE + BESIDE] + [(path, TEST_FILE_LINES) for path in TESTS]
    sizes = [(name_of(path), len(path.read_text(encoding="utf-8").splitlines()), most) for path, most in limits]
    assert [(name, lines) for name, lines, most in sizes if lines > most] == []


def test_functions_stay_small():
    functions = [
        (f"{name_of(path)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for path in SOURCE + BESIDE + TESTS
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert len(functions) > 100
    assert [(name, lines) for name, lines in functions if lines > FUNCTION_LINES] == []


def test_tests_use_no_mock_library():
    assert [name_of(path) for path in TESTS if imported(ast.walk(parse(path))) & MOCKS] == []


def test_nothing_is_left_to_do():
    texts = {name_of(path): path.read_text(encoding="utf-8") for path in SOURCE + BESIDE + TESTS}
    # Spelt apart, so that this file is no finding itself.
    marks = re.compile(r"#\s*(TO" r"DO|FIX" r"ME|XX" r"X)")
    assert [name for name, text in texts.items() if marks.search(text)] == []


def test_the_diagram_is_the_one_of_the_contracts():
    code = "import architecture_diagram as a; print(a.split(a.DOCUMENT.read_text())[1] == a.diagram())"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "scripts", capture_output=True, text=True, timeout=30, check=True
    )
    assert shown.stdout == "True\n", "Run python scripts/architecture_diagram.py"


def test_every_test_that_the_architecture_names_exists():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = {word.strip("`.,;()") for word in text.split() if word.strip("`(").startswith("tests/") and "::" in word}
    assert named
    for reference in named:
        path, function = reference.split("::")
        functions = {node.name for node in ast.walk(parse(ROOT / path)) if hasattr(node, "name")}
        assert function in functions, reference


def test_the_architecture_can_be_read_in_one_sitting():
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 150
