"""How a repository is written, found in its own files without a model: layout, style and the settings of its tools.

Only what most of the code agrees on is said; a few lines say nothing. Pure functions.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from agentinfra.agents.style_settings import settings_lines

MIN_LINES = 20  # fewer lines of code than these are no custom
MIN_SEEN = 5
MOST = 0.75  # the share from which on a habit is one
MAX_SAMPLES = 40
MAX_SOURCE = 100_000
_NOT_SOURCES = frozenset({"setup.py", "conftest.py", "noxfile.py", "fabfile.py"})
_ASIDE = frozenset({"docs", "doc", "examples", "example", "build", "dist", "benchmarks", "scripts", "tools", "vendor"})
_TEST = re.compile(r"test_.*\.py|.*_tests?\.py|tests?\.py")
_STRING = re.compile(r"""[a-zA-Z]*(?P<quote>'(?!'')|"(?!""))""")
_CAMEL = re.compile(r"_*[a-z]+[A-Z]\w*")
_SNAKE = re.compile(r"_*[a-z]+_\w+")
_STYLES = (
    ("reStructuredText (`:param x:`)", re.compile(r"^\s*:(?:param|returns?|raises?|type|rtype)\b", re.M)),
    ("NumPy (`Parameters` over a line)", re.compile(r"^\s*(?:Parameters|Returns)\s*\n\s*-{3,}", re.M)),
    ("Google (`Args:`)", re.compile(r"^\s*(?:Args|Returns|Raises):\s*$", re.M)),
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def is_test_file(path: str) -> bool:
    """Whether a path is one of a test, by the names that pytest and unittest know, or lies in a folder of tests."""
    parts = PurePosixPath(path).parts
    return _TEST.fullmatch(parts[-1]) is not None or not {"tests", "test"}.isdisjoint(parts[:-1])


def source_files(paths: Iterable[str]) -> list[str]:
    """The Python files that are the project itself: no tests, documentation, examples or build files."""
    return [path for path in paths if _is_source(PurePosixPath(path)) and not is_test_file(path)]


def test_folder(paths: Iterable[str]) -> str:
    """Where new tests belong: ``tests`` if there is one or no test at all, else the folder that holds most tests.

    Returns:
        A relative path; "" for the top folder.
    """
    named = [path for path in paths if _TEST.fullmatch(PurePosixPath(path).name) and is_test_file(path)]
    folders = Counter(str(PurePosixPath(path).parent) for path in named)
    if not folders or any(folder.split("/")[0] == "tests" for folder in folders):
        return "tests"
    found = min(folders, key=lambda folder: (-folders[folder], folder.count("/"), folder))
    return "" if found == "." else found


test_folder.__test__ = False  # pyright: ignore[reportFunctionMemberAccess]  # pytest takes it for a test otherwise


def find_conventions(sources: Mapping[str, str], tests: Mapping[str, str], settings: Mapping[str, str]) -> list[str]:
    """What the files of a repository have in common, one line a convention.

    Args:
        sources: Text of the project's own Python files, by path; see :func:`source_files`.
        tests: Text of its test files, by path.
        settings: Text of its settings files (``pyproject.toml``, ``.editorconfig``, …), by path.
    """
    trees = [tree for tree in map(_tree, sources.values()) if tree is not None]
    if sum(len(text.splitlines()) for text in sources.values()) < MIN_LINES or not trees:
        return []
    return [
        *_layout(sources),
        *_tests(tests),
        *_tokens(list(sources.values())),
        *_documented(trees),
        *_typed(trees),
        *_named(trees),
        *settings_lines(settings),
    ]


def _is_source(path: PurePosixPath) -> bool:
    inside = [part.lower() for part in path.parts[:-1]]
    apart = any(part.startswith(".") or part in _ASIDE for part in inside)
    return path.suffix == ".py" and path.name not in _NOT_SOURCES and not apart


def _layout(sources: Iterable[str]) -> Iterator[str]:
    folders = Counter(str(PurePosixPath(path).parent) for path in sources)
    shown = [f"`{folder}/`" if folder != "." else "the top folder" for folder, _ in folders.most_common(3)]
    yield f"The sources lie in {', '.join(shown)}."


def _tests(tests: Mapping[str, str]) -> Iterator[str]:
    if not tests:
        return
    classes = sum("unittest" in text and "TestCase" in text for text in tests.values())
    form = "unittest classes" if classes * 2 > len(tests) else "pytest functions"
    yield f"The tests are {form}, such as `{min(tests, key=lambda path: (path.count('/'), path))}`."


def _tokens(sources: Sequence[str]) -> Iterator[str]:
    """Indentation and quotes."""
    steps: Counter[str] = Counter()
    quotes: Counter[str] = Counter()
    for text in sources:
        levels = [""]
        for token in _tokenized(text):
            if token.type == tokenize.INDENT:
                steps[token.string.removeprefix(levels[-1])] += 1
                levels.append(token.string)
            elif token.type == tokenize.DEDENT:
                levels.pop()
            elif token.type == tokenize.STRING and (found := _STRING.match(token.string)):
                quotes[found["quote"]] += 1
    step, quote = _usual(steps), _usual(quotes)
    if step:
        yield "Indentation is a tab." if "\t" in step else f"Indentation is {len(step)} spaces."
    if quote:
        yield f"Strings stand in {'single' if quote == chr(39) else 'double'} quotes."


def _documented(trees: Sequence[ast.Module]) -> Iterator[str]:
    public = [one for one in _functions(trees) if not one.name.startswith("_")]
    texts = [text for one in public if (text := ast.get_docstring(one, clean=False))]
    if len(public) < MIN_SEEN:
        return
    if len(texts) >= MOST * len(public):
        styles = Counter(style for text in texts for style, pattern in _STYLES if pattern.search(text))
        style = next((name for name, times in styles.most_common(1) if times * 4 >= len(texts)), "")
        yield f"Public functions have docstrings{f' in the style of {style}' if style else ''}."
    elif len(texts) <= (1 - MOST) * len(public):
        yield "Functions have no docstrings."


def _typed(trees: Sequence[ast.Module]) -> Iterator[str]:
    with_parameters = [one for one in _functions(trees) if any(one.args.args)]
    typed = [one for one in with_parameters if any(each.annotation for each in one.args.args)]
    if len(with_parameters) < MIN_SEEN:
        return
    if len(typed) >= MOST * len(with_parameters):
        yield "Parameters have type hints."
    elif len(typed) <= (1 - MOST) * len(with_parameters):
        yield "Parameters have no type hints."


def _named(trees: Sequence[ast.Module]) -> Iterator[str]:
    names = [one.name for one in _functions(trees)]
    forms = Counter("camelCase" for name in names if _CAMEL.fullmatch(name))
    forms.update("snake_case" for name in names if _SNAKE.fullmatch(name))
    if (form := _usual(forms)) == "camelCase":
        yield f"Functions are named in {form}."


def _functions(trees: Iterable[ast.Module]) -> list[Function]:
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, Function)]


def _usual(counted: Counter[str]) -> str:
    """What nearly all cases have, "" where there is no such thing or too little to tell."""
    total = counted.total()
    found = next((name for name, times in counted.most_common(1) if times >= MOST * total), "")
    return found if total >= MIN_SEEN else ""


def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text[:MAX_SOURCE])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # another version's syntax, cut, or made to break a parser: it says nothing


def _tokenized(text: str) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.generate_tokens(io.StringIO(text[:MAX_SOURCE]).readline)
    except (SyntaxError, tokenize.TokenError):
        return  # what came before the place that cannot be read still counts
