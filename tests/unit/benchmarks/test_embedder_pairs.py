from benchmarks.embedder_pairs import Pair, python_pairs, script_pairs

PYTHON = '''
class Reader:
    def lines(self, path):
        """Read all lines of a :class:`file`. It is closed afterwards.

        More.
        """
        with open(path) as stream:
            found = stream.readlines()
        return found

    def short(self):
        """Say how many lines there are."""
        return 1

def silent(a, b):
    c = a + b
    d = c * b
    return d
'''

SCRIPT = b"""
/** Copyright notice of somebody or other */
import { x } from "y";
/**
 * Adds one {@link Number} to another. And more.
 * @param a one
 */
export const add = (a: number, b: number) => {
  const first = a;
  const second = b;
  return first + second;
};
// plain
function undocumented() {
  return 1;
}
export class Stack<T> {
  /** Takes the last item off the stack. */
  pop(): T {
    /** a note */
    const last = this.items.length - 1;
    const item = this.items[last];
    return item;
  }
}
/** The number of all things counted. */
const count = 3;
"""


def test_a_python_function_is_paired_with_its_first_sentence_and_without_its_docstring():
    (pair,) = python_pairs(PYTHON)
    assert pair.sentence == "Read all lines of a file ."
    assert pair.body.splitlines()[0].strip() == "def lines(self, path):"
    assert pair.body.splitlines()[1].strip() == "with open(path) as stream:"


def test_what_does_not_parse_gives_nothing():
    assert list(python_pairs("def broken(:")) == []
    assert list(python_pairs("x = '\0'")) == []
    assert list(script_pairs(b"\xff/** A sentence of five words */ function (", typescript=False)) == []


def test_scripts_are_paired_where_a_comment_stands_before_a_function():
    pairs = {pair.sentence: pair.body for pair in script_pairs(SCRIPT, typescript=True)}
    assert list(pairs) == ["Adds one Number to another.", "Takes the last item off the stack."]
    assert pairs["Adds one Number to another."].startswith("export const add")
    assert "a note" not in pairs["Takes the last item off the stack."]


def test_a_tag_may_hold_the_description():
    source = b"/**\n * @class\n * @description Draws a circle on the canvas.\n */\nfunction f() {\n a;\n b;\n c;\n}"
    assert [pair.sentence for pair in script_pairs(source, typescript=False)] == ["Draws a circle on the canvas."]


def test_bodies_that_differ_in_white_space_are_one():
    assert Pair("x", "a  b\nc").key == Pair("y", "ab c").key
