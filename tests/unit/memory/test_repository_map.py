import numpy as np
import pytest

from agentinfra.core.token_estimate import text_tokens
from agentinfra.memory.parsing.parser import parse_file
from agentinfra.memory.repository_map import page_rank, rank_definitions, repository_map

FILES = {
    "app/errors.py": "class AppError(Exception):\n    pass\n\n\nclass Unused(Exception):\n    pass\n",
    "app/store.py": (
        "from app.errors import AppError\n\n\nclass Store:\n    def load(self, key):\n        raise AppError(key)\n"
    ),
    "app/view.py": (
        "from app.errors import AppError\nfrom app.store import Store\n\n\n"
        "def show(store):\n    store = Store()\n    print(store.load(1))\n    raise AppError\n"
    ),
    "tools/report.py": "def load(path):\n    return open(path)\n\n\ndef report():\n    return load('x'), print('y')\n",
}


def parsed(files=FILES):
    each = {path: parse_file(path, text.encode()) for path, text in files.items()}
    definitions = [(path, one) for path, file in each.items() for one in file.definitions]
    return definitions, [(path, one) for path, file in each.items() for one in file.references]


def ranks(mentioned=(), files=FILES):
    return {f"{one.path}:{one.definition.symbol}": one.rank for one in rank_definitions(*parsed(files), mentioned)}


def test_what_most_leans_on_is_first():
    found = ranks()
    assert next(iter(found)) == "app/errors.py:AppError"
    assert found["app/errors.py:AppError"] > found["app/store.py:Store"] > found["app/errors.py:Unused"] == 0
    assert sum(found.values()) <= 1


def test_a_call_goes_where_the_import_says_and_not_to_a_namesake():
    found = ranks()
    assert found["app/store.py:Store.load"] > 0
    assert found["tools/report.py:load"] == 0


def test_a_file_that_is_mentioned_turns_the_map_to_what_it_uses():
    files = {**FILES, "lib/paint.py": "def paint():\n    return 1\n"}
    files["tools/report.py"] = "from lib.paint import paint\n\n\ndef report():\n    return paint()\n"
    assert next(iter(ranks(["report.py"], files))) == "lib/paint.py:paint"
    assert next(iter(ranks(["report"], files))) == "lib/paint.py:paint"
    assert next(iter(ranks((), files))) != "lib/paint.py:paint"


def test_the_map_shows_files_with_lines_and_heads():
    text = repository_map(*parsed(), tokens=1000)
    assert text.startswith("app/errors.py:\n  class AppError(Exception)  #1\n")
    assert "    def load(self, key)  #5\n" in text
    assert text.count("app/errors.py:") == 1


@pytest.mark.parametrize("tokens", range(0, 120, 7))
def test_the_map_never_takes_more_than_its_budget(tokens):
    text = repository_map(*parsed(), tokens=tokens)
    assert text_tokens(text) <= tokens
    assert bool(text) == (tokens >= 16)


def test_the_same_repository_gives_the_same_map_in_any_order():
    definitions, references = parsed()
    assert repository_map(definitions, references) == repository_map(definitions[::-1], references[::-1])


def test_an_empty_repository_has_an_empty_map():
    assert repository_map([], []) == ""


def test_page_rank_solves_its_equation():
    sources, targets = np.array([0, 0, 1, 2]), np.array([1, 2, 2, 0])
    weights, start = np.array([1.0, 3.0, 1.0, 1.0]), np.array([1.0, 1.0, 1.0, 1.0])
    found = page_rank(sources, targets, weights, start)
    moves = np.zeros((4, 4))
    moves[[1, 2, 2, 0], [0, 0, 1, 2]] = 0.25, 0.75, 1.0, 1.0
    moves[:, 3] = 0.25  # from there it begins again
    exact = np.linalg.solve(np.eye(4) - 0.85 * moves, np.full(4, 0.15 / 4))
    assert np.allclose(found, exact, atol=1e-3)
    assert abs(found.sum() - 1) < 1e-9
