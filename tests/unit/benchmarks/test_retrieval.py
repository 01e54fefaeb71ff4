import io
import subprocess
import tarfile

import pytest

from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.ranking import Weights
from benchmarks.retrieval import main
from benchmarks.retrieval_corpus import evaluation, python_functions, typescript_functions
from benchmarks.retrieval_history import history
from benchmarks.retrieval_methods import choose, chunks_of, find
from benchmarks.retrieval_sources import fetch, package_functions
from benchmarks.retrieval_statistics import mean, ratio, recall, reciprocal_rank

PYTHON = '''
class Cart:
    def add(self, name, count):
        """Put some of an article into the cart. More is said."""
        number = self.items.get(name, 0)
        self.items[name] = number + count
        return number

    def short(self):
        """Too short to be a function of the corpus."""
        return 1

def documented_alone():
    """There is nothing but what is said of it,

    and that over several lines.
    """

async def load(path):
    data = await read(path)
    if not data:
        raise OSError
    return data
'''
TYPESCRIPT = b"""
/** Reads {@link Page} from a server. And more. @param url where */
export async function readPage(url: string) {
  const page = await fetch(url);
  return page.text();
}
export class Cart {
  /**
   * Puts an article into the cart.
   * @param name of it
   */
  add(name: string): void {
    const count = this.items.get(name);
    this.items.set(name, count + 1);
  }
}
// no documentation of this one
export const twice = (a: number) => {
  const b = a * 2;
  return b;
};
"""


def test_a_python_function_loses_its_documentation():
    add, load = python_functions("shop.py", PYTHON)
    assert (add.symbol, add.said) == ("Cart.add", "Put some of an article into the cart.")
    assert add.text.splitlines()[1] == "        number = self.items.get(name, 0)"
    assert (load.symbol, load.said) == ("load", "")


def test_what_is_no_python_has_no_functions():
    assert list(python_functions("old.py", "print 1\n")) == []


def test_a_typescript_function_has_the_comment_above_it():
    read_page, add, twice = typescript_functions("shop.ts", TYPESCRIPT)
    assert (read_page.symbol, read_page.said) == ("readPage", "Reads Page from a server.")
    assert (add.symbol, add.said) == ("Cart.add", "Puts an article into the cart.")
    assert (twice.symbol, twice.said) == ("twice", "")
    assert all("/**" not in one.text for one in (read_page, add, twice))


def test_each_function_is_in_the_corpus_once_and_each_question_has_one_answer():
    found = list(python_functions("a.py", PYTHON))
    other = PYTHON.replace("number + count", "number * count")
    one = evaluation("Python", [*found, *python_functions("copy.py", PYTHON)])
    two = evaluation("Python", [*found, *python_functions("b.py", other)])
    assert len(one.functions) == 2
    assert [question.text for question in one.questions] == ["Put some of an article into the cart."]
    assert len(two.functions) == 3
    assert two.questions == []


def test_declarations_and_tests_of_a_package_are_left_out(tmp_path):
    archive = tmp_path / "shop-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as package:
        for name in ("package/src/shop.ts", "package/shop.d.ts", "package/src/tests/shop.ts"):
            entry = tarfile.TarInfo(name)
            entry.size = len(TYPESCRIPT)
            package.addfile(entry, io.BytesIO(TYPESCRIPT))
    assert {one.path for one in package_functions(archive)} == {"shop/package/src/shop.ts"}
    assert fetch("shop@1.0.0", tmp_path) == archive


def test_ranks_and_recall_look_at_ten():
    assert reciprocal_rank("abc", {"b"}) == 1 / 2
    assert reciprocal_rank("abcdefghijk", {"k"}) == 0
    assert recall("abc", {"b", "x"}) == 1 / 2
    assert recall(range(10), set(range(20))) == 1


def test_intervals_hold_the_value_and_shrink_with_more_questions():
    few, many = mean([0.0, 1.0] * 10), mean([0.0, 1.0] * 1000)
    assert few.value == many.value == 0.5
    assert few.low < many.low < 0.5 < many.high < few.high
    paired = ratio([0.2, 0.4, 0.6], [0.1, 0.2, 0.3])
    assert [paired.value, paired.low, paired.high] == pytest.approx([2, 2, 2])


async def test_weights_are_chosen_by_the_first_half_of_the_questions():
    words = ["apple", "bridge", "candle", "dragon", "engine", "forest", "garden", "hammer", "island", "jungle"]
    source = "\n".join(
        f'def use_{word}(x):\n    """Make use of one {word} here."""\n    y = x + {n}\n    z = y * y\n    return z\n'
        for n, word in enumerate(words)
    )
    one = evaluation("Python", python_functions("a.py", source))
    static = StaticEmbedder()
    vectors = static.embed_now([chunk.embedded_text for chunk in chunks_of(one)])
    found = await find(one, static, None, {static.name: vectors})
    assert found.ranks(found.words()) == [1.0] * 10
    assert found.ranks(found.weighed(Weights(), reranked=False)) == [1.0] * 10
    assert choose([found]) == Weights(0.5, 0.5, 0.5)


def git(folder, *arguments):
    names = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "-C", str(folder), *names, *arguments], check=True, capture_output=True)


def test_a_commit_is_asked_of_the_tree_before_it(tmp_path):
    git(tmp_path, "init", "-q")
    changes = [
        ("The first commit has no parent", {"cart.py": "a = 1\n", "notes.bin": "x"}),
        ("A new file answers nothing yet", {"more.py": "b = 1\n"}),
        ("The cart counts its articles now", {"cart.py": "a = 2\n", "more.py": "b = 2\n", "new.py": "c = 1\n"}),
        ("Too short", {"cart.py": "a = 3\n"}),
        ("A binary file is not in the index", {"notes.bin": "y"}),
    ]
    for subject, files in changes:
        for path, text in files.items():
            (tmp_path / path).write_text(text)
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-qm", subject)
    (step,) = history(tmp_path)
    assert step.subject == "The cart counts its articles now"
    assert step.answers == {"cart.py", "more.py"}
    assert step.tree["cart.py"].chunks[0].text == "a = 1"


def test_the_command_explains_itself(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    assert "--history" in capsys.readouterr().out
