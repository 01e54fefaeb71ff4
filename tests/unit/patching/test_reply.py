import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.core.errors import PatchError
from agentinfra.patching.reply import CodeBlock, code_blocks, python_source

DOUBLE = "def double(n):\n    return n * 2\n"


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("```python\nx = 1\n```", [CodeBlock("python", "", "x = 1\n")]),
        ("Sure!\n\n```py\nx = 1\n```\nHope it helps.", [CodeBlock("py", "", "x = 1\n")]),
        ("~~~\nx = 1\n~~~", [CodeBlock("", "", "x = 1\n")]),
        ("````md\n```\nx\n```\n````", [CodeBlock("md", "", "```\nx\n```\n")]),
        ("```python\nx = 1\n", [CodeBlock("python", "", "x = 1\n", closed=False)]),
        ("```\r\nx = 1\r\n```\r\n", [CodeBlock("", "", "x = 1\n")]),
        ("### app/main.py\n```python\nx = 1\n```", [CodeBlock("python", "app/main.py", "x = 1\n")]),
        ("**`main.py`**:\n\n```python\nx = 1\n```", [CodeBlock("python", "main.py", "x = 1\n")]),
        ("File: main.py\n```\nx = 1\n```", [CodeBlock("", "main.py", "x = 1\n")]),
        ("```python main.py\nx = 1\n```", [CodeBlock("python", "main.py", "x = 1\n")]),
        ('```python title="src/main.py"\nx = 1\n```', [CodeBlock("python", "src/main.py", "x = 1\n")]),
        ("```python:src/main.py\nx = 1\n```", [CodeBlock("python", "src/main.py", "x = 1\n")]),
        ("```python\n# main.py\nx = 1\n```", [CodeBlock("python", "main.py", "# main.py\nx = 1\n")]),
        ("```html\n<!-- page.html -->\n<p>\n```", [CodeBlock("html", "page.html", "<!-- page.html -->\n<p>\n")]),
        ("The file.\n```\nx\n```", [CodeBlock("", "", "x\n")]),
        ("x = 1\n", [CodeBlock("", "", "x = 1\n")]),
        ("```a\n1\n```\n```b\n2\n```", [CodeBlock("a", "", "1\n"), CodeBlock("b", "", "2\n")]),
        ("", []),
        (" \n\n", []),
    ],
)
def test_blocks_are_found_with_what_names_them(text: str, blocks: list[CodeBlock]):
    assert code_blocks(text) == blocks


@pytest.mark.parametrize(
    "reply",
    [
        f"```python\n{DOUBLE}```",
        f"Here it is:\n\n```python\n{DOUBLE}```\nIt doubles `n`.",
        DOUBLE,
        f"Sure, here is the code:\n\n{DOUBLE}\nThis function doubles a number.",
        f"```python\n# numbers.py\n{DOUBLE}```",
        f"```python\n{DOUBLE}\nprint(double(2))\n```",
        f"```python\n{DOUBLE}\nassert double(2) == 4\n```",
        f'```python\n{DOUBLE}\nif __name__ == "__main__":\n    print(double(2))\n```',
        f"```python\n{DOUBLE}\nresult = double(4)\nprint(result)\n```",
        f"```python\n{DOUBLE}\nfor n in range(3):\n    print(double(n))\n```",
        f"```python\n{DOUBLE}\ndef test_double():\n    assert double(1) == 2\n```",
        f"```python\n{DOUBLE}```\nUse it so:\n```python\ndouble(2)\n```",
        f"```python\n{DOUBLE}```\n```bash\npip install double\n```",
        f"```python\n{DOUBLE}\ndef triple(n):\n    return (n *",
        f"```python\ndef broken(:\n    pass\n\n{DOUBLE}```",
        "```python\n    def double(n):\n        return n * 2\n```",
        f"```python\ndef double(n):\n    pass\n```\nNow the real one:\n```python\n{DOUBLE}```",
        f"```python\n{DOUBLE}```\nFor you to fill in:\n```python\ndef double(n):\n    ...\n```",
        f"```python\ndef double(n):\n    return n + n + 0\n```\nBetter:\n```python\n{DOUBLE}```",
    ],
)
def test_only_the_wanted_function_is_left(reply: str):
    assert python_source(reply, ["double(n)"]) == DOUBLE


@pytest.mark.parametrize(
    "kept",
    [
        "import re\n\n\ndef f(t):\n    return re.sub('a', '', t)\n",
        "LIMIT = 3\n\n\ndef f(t):\n    return t[:LIMIT]\n",
        "limit: int = 3\n\n\ndef f(t):\n    return t[:limit]\n",
        "def _helper(t):\n    return t\n\n\ndef f(t):\n    return _helper(t)\n",
        "# Letters only.\ndef f(t):\n    return t  # as it is\n",
        "@cache\ndef f(t):\n    return t\n",
        "try:\n    import tomllib\nexcept ImportError:\n    tomllib = None\n\n\ndef f(t):\n    return tomllib\n",
        'class f:\n    """Doc."""\n\n    x = 1\n',
        'def f(t):\n    return """\nno def\nprint(1)\n"""\n',
    ],
)
def test_what_the_function_needs_is_kept_as_written(kept: str):
    assert python_source(f"Text\n```python\n{kept}\nprint(f('x'))\n```", ["f"]) == kept


def test_statements_on_one_line_are_told_apart():
    assert python_source("A = 1; print(A)\ndef f(): return A", ["f"]) == "A = 1\n\n\ndef f(): return A\n"


def test_a_whole_file_keeps_its_entry_but_not_its_demonstrations():
    file = 'import sys\n\n\ndef main():\n    return 0\n\n\nif __name__ == "__main__":\n    sys.exit(main())\n'
    assert python_source(f"```python\n{file}```") == file
    assert python_source(f"```python\n{file}```", ["main()"]) == file
    assert "print" not in python_source(f"```python\n{file}print(main())\n```")


def test_a_whole_test_file_keeps_its_tests():
    file = "def test_one():\n    assert 1\n\n\ndef test_two():\n    assert 2\n"
    assert python_source(f"```python\n{file}```") == file
    assert python_source(f"```python\n{file}\n\ndef test_cut():\n    assert (", []) == file


@pytest.mark.parametrize("symbols", [["Bag.add(item)"], ["class Bag(size)"], ["Bag"]])
def test_classes_and_methods_are_wanted_by_signature(symbols: list[str]):
    code = "class Bag:\n    def add(self, item):\n        self.item = item\n"
    assert python_source(f"```python\n{code}```", symbols) == code


def test_a_method_sent_alone_counts_as_the_method():
    code = "def add(self, item):\n    self.item = item\n"
    assert python_source(f"```python\n    {code.replace(chr(10), chr(10) + '    ')}\n```", ["Bag.add"]) == code


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ("I cannot do that.", "no Python code"),
        ("", "no code block"),
        ("```python\ndef f(:\n```", "line 1"),
        ("```python\ndef doubel(n):\n    return n\n```", "doubel is near"),
        ("```python\ndef other(n):\n    return n\n```", "it defines other"),
        ("```python\nX = 1\n\ndef double(n):\n    return (n\n```", "does not parse: line"),
        ("```bash\necho double\n```", "no code block"),
    ],
)
def test_a_useless_reply_is_refused_with_what_to_send(reply: str, says: str):
    with pytest.raises(PatchError) as refused:
        python_source(reply, ["double"])
    assert says in str(refused.value)
    assert "```python block" in refused.value.next_step


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["```", "```python", DOUBLE, "def f(:", "text", "  ", "x = (", '"""', "print(1)"]), max_size=12
    )
)
def test_any_reply_gives_source_that_parses_or_is_refused(parts: list[str]):
    try:
        source = python_source("\n".join(parts), ["double"])
    except PatchError:
        return
    assert "double" in {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    assert "print" not in source


def test_a_long_reply_of_prose_is_read_in_time():
    reply = "def is a word and this is prose (with = signs\n" * 3000 + DOUBLE
    assert python_source(reply, ["double"]) == DOUBLE
