import ast
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.core.errors import PatchError
from agentinfra.patching.splice import splice


def code(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


MODULE = code(
    '''
    #!/usr/bin/env python
    """Numbers."""

    import math   # kept with its blanks

    FACTOR = 2


    # Twice.
    def double(n):
        return n  *  FACTOR   # odd spacing


    def half(n):
        return n / FACTOR


    if __name__ == "__main__":
        print(double(2))
    '''
)


def test_a_function_is_replaced_in_place_and_the_rest_keeps_its_bytes():
    result = splice(MODULE, "def double(n):\n    return n + n\n", ["double(n)"])
    assert result == MODULE.replace("    return n  *  FACTOR   # odd spacing", "    return n + n")


def test_a_new_function_comes_before_the_entry_with_its_import_and_constant():
    new = "import math\nimport re\n\nDIGITS = 3\n\ndef triple(n):\n    return re.sub('', '', round(n, DIGITS))\n"
    result = splice(MODULE, new, ["triple"])
    assert result.count("import math") == 1
    assert "# kept with its blanks\nimport re\n" in result
    positions = [result.index(part) for part in ("DIGITS = 3", "# Twice.", "def half", "def triple", "if __name__")]
    assert positions == sorted(positions)


def test_an_empty_module_becomes_what_is_asked_for():
    new = "import re\nimport os\n\nUNUSED = 1\n\n\ndef f(t):\n    return re.escape(t)\n\n\ndef g():\n    return 2\n"
    assert splice("", new, ["f"]) == "import re\n\n\ndef f(t):\n    return re.escape(t)\n"


def test_without_symbols_a_whole_file_replaces_one_whose_names_it_has():
    new = '"""New."""\n\n\ndef double(n):\n    return 2 * n\n\n\nhalf = FACTOR = None\n'
    assert splice(MODULE, new, []) == new


def test_without_symbols_nothing_that_is_there_gets_lost():
    result = splice(MODULE, "def double(n):\n    return 0\n\n\ndef triple(n):\n    return 3 * n\n", [])
    assert {"double", "half", "triple"} <= {n.name for n in ast.parse(result).body if isinstance(n, ast.FunctionDef)}
    assert "return 0" in result


def test_windows_line_ends_stay():
    result = splice(MODULE.replace("\n", "\r\n"), "def double(n):\n    return 0\n", ["double"])
    assert result.replace("\r\n", "\n") == splice(MODULE, "def double(n):\n    return 0\n", ["double"])
    assert "\n" not in result.replace("\r\n", "")


def test_helpers_of_helpers_come_along_and_others_do_not():
    calls = {"_a": "_b", "_b": "abs", "_c": "abs", "f": "_a"}
    new = "".join(f"def {name}(n):\n    return {called}(n)\n\n\n" for name, called in calls.items())
    result = splice("", new, ["f"])
    assert [n.name for n in ast.parse(result).body if isinstance(n, ast.FunctionDef)] == ["_a", "_b", "f"]


def test_a_public_function_sent_along_unasked_is_left_as_it_is():
    new = "def double(n):\n    return 'wrong'\n\n\ndef quadruple(n):\n    return double(double(n))\n"
    result = splice(MODULE, new, ["quadruple"])
    assert "wrong" not in result
    assert "def quadruple" in result


@pytest.mark.parametrize(
    ("source", "new"),
    [
        (MODULE, "FACTOR = 3\n\ndef triple(n):\n    return n * FACTOR\n"),
        (
            "def _h(n):\n    return 1\n\ndef g(n):\n    return _h(n)\n",
            "def _h(n):\n    return 2\n\ndef triple(n):\n    return _h(n)\n",
        ),
        (
            "import datetime\n\ndef g():\n    return datetime.date.today()\n",
            "from datetime import datetime\n\ndef triple(n):\n    return datetime(n, 1, 1)\n",
        ),
    ],
    ids=["constant", "helper", "import"],
)
def test_a_name_that_others_use_for_another_thing_is_a_clash(source: str, new: str):
    with pytest.raises(PatchError, match="clashes"):
        splice(source, new, ["triple"])


def test_a_helper_that_nobody_else_uses_is_replaced():
    source = "def _h(n):\n    return 1\n\n\ndef f(n):\n    return _h(n)\n"
    assert splice(source, source.replace("return 1", "return 2"), ["f"]) == source.replace("return 1", "return 2")


def test_a_base_class_stands_before_the_class_that_needs_it():
    source = "class Full(Exception):\n    pass\n"
    result = splice(source, "class Base(Exception):\n    pass\n\n\nclass Full(Base):\n    pass\n", ["Full"])
    assert result.index("class Base") < result.index("class Full")
    exec(compile(result, "m", "exec"), {})


@pytest.mark.parametrize(
    ("source", "begins"),
    [
        ("def g():\n    return 1\n", "import re\n\n\ndef g"),
        ("# Licence\n\ndef g():\n    return 1\n", "# Licence\nimport re\n"),
        ('"""Doc."""\n\ndef g():\n    return 1\n', '"""Doc."""\n\nimport re\n'),
        ("from os import path\n\ndef g():\n    return path\n", "from os import path\nimport re\n"),
    ],
)
def test_imports_go_where_imports_are(source: str, begins: str):
    assert splice(source, "import re\n\ndef f():\n    return re\n", ["f"]).startswith(begins)


def test_future_imports_come_first():
    result = splice(
        "import os\n\nX = os\n", "from __future__ import annotations\n\ndef f(a: B):\n    return a\n", ["f"]
    )
    assert result.startswith("from __future__ import annotations\nimport os\n")


def test_importing_from_itself_is_left_out():
    result = splice(MODULE, "from numbers import double\n\ndef four(n):\n    return double(double(n))\n", ["four"])
    assert "from numbers" not in result


def test_submodules_of_one_package_do_not_clash():
    source = "import os.path\n\ndef g():\n    return os.path\n"
    new = "import xml.dom\nimport xml.sax\n\ndef f():\n    return xml.dom, xml.sax\n"
    assert "import xml.dom\nimport xml.sax\n" in splice(source, new, ["f"])


BAG = code(
    """
    class Bag:
        # How many.
        limit = 3

        def __init__(self):
            self.items = []

        def add(self, item):
            self.items.append(self._clean(item))

        def _clean(self, item):
            return item.strip()
    """
)


def test_a_method_is_replaced_in_its_class():
    new = "class Bag:\n  def add(self, item):\n    text = '''\n  two'''\n    self.items.append(text)\n"
    expected = BAG.replace(
        "        self.items.append(self._clean(item))", "      text = '''\n  two'''\n      self.items.append(text)"
    )
    assert splice(BAG, new, ["Bag.add(item)"]) == expected


def test_a_method_sent_alone_is_added_with_the_private_one_it_calls():
    new = "def count(self):\n    return self._size()\n\ndef _size(self):\n    return len(self.items)\n"
    result = splice(BAG, new, ["Bag.count()"])
    assert result.startswith(BAG.rstrip("\n"))
    assert result.endswith(
        "    def count(self):\n        return self._size()\n\n    def _size(self):\n        return len(self.items)\n"
    )


def test_both_halves_of_a_property_go_together():
    getter = "    @property\n    def x(self):\n        return 1\n"
    source = f"class A:\n{getter}\n    @x.setter\n    def x(self, v):\n        pass\n"
    new = source.replace("return 1", "return 2").replace("pass", "self.y = v")
    assert splice(source, new, ["A.x"]).rstrip() == new.rstrip()


def test_a_class_that_is_sent_again_keeps_the_members_it_left_out():
    result = splice(BAG, "class Bag:\n    def add(self, item):\n        self.items += [item]\n", ["class Bag(limit)"])
    members = {getattr(node, "name", "limit") for node in ast.parse(result).body[0].body}
    assert members == {"limit", "__init__", "add", "_clean"}
    assert "self.items += [item]" in result


def test_neither_docstring_nor_pass_of_the_old_class_comes_along():
    new = "class A:\n    x = 1\n"
    assert splice('class A:\n    """Old."""\n\n    pass\n', new, ["A"]) == new


def test_a_class_on_one_line_takes_members_too():
    assert splice("class E(Exception):\n    code = 1\n", "class E(ValueError): pass\n", ["E"]).endswith(
        "    code = 1\n"
    )


def test_a_private_method_that_other_methods_use_is_a_clash():
    source = BAG + "\n    def clean_all(self):\n        return [self._clean(i) for i in self.items]\n"
    new = "class Bag:\n    def add(self, i):\n        self._clean(i)\n\n    def _clean(self, i):\n        return 1\n"
    with pytest.raises(PatchError, match="clashes"):
        splice(source, new, ["Bag.add"])


def test_tabs_in_the_class_stay_tabs():
    source = "class A:\n\tdef f(self):\n\t\treturn 1\n"
    result = splice(source, "def g(self):\n\treturn 2\n", ["A.g"])
    assert "\tdef g(self):\n\t\treturn 2" in result


@pytest.mark.parametrize(
    ("source", "new", "symbols", "says"),
    [
        ("def f(:", "def g(): pass", ["g"], "The file does not parse at line 1"),
        ("", "def g(:", ["g"], "The new code does not parse at line 1"),
        ("", "def h(): pass", ["g"], "does not define g"),
        ("", "def h(self): pass", ["Bag.h"], "does not define Bag"),
        (BAG, "class Bag:\n    def other(self): pass", ["Bag.add"], "does not define Bag.add"),
        ("def f(): pass", "x = 1", ["f"], "does not define f"),
        ("a = 1; b = 2\n", "a = 3\n", ["a"], "would remove b"),
    ],
)
def test_what_cannot_be_spliced_is_refused(source: str, new: str, symbols: list[str], says: str):
    with pytest.raises(PatchError, match=says):
        splice(source, new, symbols)


NAMES = "abcdef"
bodies = st.sampled_from(["return 1", "x = '''\n  y'''\n    return x", "return (\n        1\n    )", "pass  # nothing"])
functions = st.dictionaries(st.sampled_from(NAMES), bodies, max_size=6)
gaps = st.lists(st.sampled_from(["\n\n", "\n# comment\n", "\n\nX = 1\n\n", "\n"]), min_size=8, max_size=8)


def module_of(parts: dict[str, str], between: list[str]) -> str:
    return "".join(
        f"{gap}def {name}():\n    {body}\n" for gap, (name, body) in zip(between, parts.items(), strict=False)
    )


@settings(deadline=None)
@given(functions, functions, gaps, st.sets(st.sampled_from(NAMES)))
def test_what_is_asked_for_changes_and_nothing_else(
    old: dict[str, str], new: dict[str, str], between: list[str], wanted: set[str]
):
    symbols = sorted(wanted & set(new))
    source, given_code = module_of(old, between), module_of(new, between)
    result = splice(source, given_code, symbols) if symbols else source
    expected = {**old, **{name: new[name] for name in symbols}}
    tree = {
        node.name: ast.get_source_segment(result, node)
        for node in ast.parse(result).body
        if isinstance(node, ast.FunctionDef)
    }
    assert tree == {name: f"def {name}():\n    {body.removesuffix('  # nothing')}" for name, body in expected.items()}
    if not set(symbols) - set(old):
        kept = source
        for name in symbols:
            kept = kept.replace(f"def {name}():\n    {old[name]}", f"def {name}():\n    {new[name]}", 1)
        assert ast.dump(ast.parse(kept)) == ast.dump(ast.parse(result))
        assert splice(result, given_code, symbols) == result if symbols else True
