import ast

import pytest

from agentinfra.proof.tamper_names import Names, folded

IMPORTS = "import os\nimport os.path\nimport sys as s\nfrom time import sleep as nap\nleave = os._exit\n"


def resolved(expression):
    tree = ast.parse(IMPORTS + expression)
    last = tree.body[-1]
    assert isinstance(last, ast.Expr)
    return Names(tree).resolve(last.value)


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("os._exit", "os._exit"),
        ("s.modules", "sys.modules"),
        ("nap", "time.sleep"),
        ("leave", "os._exit"),
        ("getattr(os, '_exit')", "os._exit"),
        ("__import__('os').system", "os.system"),
        ("s.modules['os']", "os"),
        ("vars(os)['system']", "os.system"),
        ("os.__dict__['system']", "os.system"),
        ("__builtins__.len", "builtins.len"),
        ("unknown.thing", ""),
        ("os.path", "os.path"),
        ("(1 + 2)", ""),
    ],
)
def test_expressions_stand_for_dotted_names(expression, name):
    assert resolved(expression) == name


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'ab'", "ab"),
        ("'a' + 'b' + 'c'", "abc"),
        ("'ba'[::-1]", "ab"),
        ("''.join(['a', 'b'])", "ab"),
        ("chr(97) + 'b'", "ab"),
        ("name + 'b'", ""),
        ("5", ""),
        ("f(1)", ""),
        ("chr()", ""),
    ],
)
def test_constant_texts_are_put_together(expression, text):
    assert folded(ast.parse(expression, mode="eval").body) == text
