"""Which faults are put into which code."""

import ast

import pytest

from agentinfra.proof.mutations import changes, is_settled


def told(source, kind):
    """What is said of the faults put into the first node of a kind, and what they make of it."""
    node = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, kind))
    return [(change.what, ast.unparse(change.replacement)) for change in changes(node)]


@pytest.mark.parametrize(
    ("source", "kind", "made"),
    [
        ("a < b", ast.Compare, ["a <= b"]),
        ("a <= b", ast.Compare, ["a < b"]),
        ("a >= b", ast.Compare, ["a > b"]),
        ("a == b", ast.Compare, ["a != b"]),
        ("a is None", ast.Compare, ["a is not None"]),
        ("a in b", ast.Compare, ["a not in b"]),
        ("0 <= a < 9", ast.Compare, ["0 < a < 9", "0 <= a <= 9"]),
        ("a + b", ast.BinOp, ["a - b"]),
        ("a // b", ast.BinOp, ["a / b"]),
        ("a % b", ast.BinOp, ["a // b"]),
        ("a << b", ast.BinOp, ["a >> b"]),
        ("a @ b", ast.BinOp, []),
        ("'%d' % b", ast.BinOp, []),
        ("a + f'{b}'", ast.BinOp, []),
        ("a += 1", ast.AugAssign, ["a -= 1", "pass"]),
        ("a += 'x'", ast.AugAssign, ["pass"]),
        ("7", ast.Constant, ["8", "6"]),
        ("1.5", ast.Constant, ["2.5", "0.5"]),
        ("True", ast.Constant, ["False"]),
        ("x = 'km'", ast.Constant, ["''"]),
        ("x = ''", ast.Constant, ["'x'"]),
        ("None", ast.Constant, []),
        ("a and b", ast.BoolOp, ["a or b"]),
        ("not a", ast.UnaryOp, ["a"]),
        ("-a", ast.UnaryOp, ["a"]),
        ("if a: pass", ast.If, ["if not a:\n    pass"]),
        ("if a < b: pass", ast.If, []),
        ("while f(a): pass", ast.While, ["while not f(a):\n    pass"]),
        ("def f():\n return a", ast.Return, ["return None"]),
        ("def f():\n return None", ast.Return, []),
        ("a.append(1)", ast.Expr, ["pass"]),
        ("self.a = 1", ast.Assign, ["pass"]),
        ("a = 1", ast.Assign, []),
        ("raise ValueError(a)", ast.Raise, ["pass"]),
        ("f(a, b, c)", ast.Call, ["f(b, a, c)"]),
        ("f(a, a)", ast.Call, []),
        ("f(a)", ast.Call, []),
        ("f(*a, b)", ast.Call, []),
        ("max(a, b)", ast.Call, []),
        ("math.gcd(a, b)", ast.Call, []),
        ("f'{a:02d}'", ast.FormattedValue, [ast.unparse(ast.parse("f'{a}'").body[0].value.values[0])]),
    ],
)
def test_each_kind_of_fault(source, kind, made):
    assert [text for _, text in told(source, kind)] == made


@pytest.mark.parametrize(
    ("source", "kind", "what"),
    [
        ("a < b", ast.Compare, "`<=` for `<`"),
        ("a += 1", ast.AugAssign, "`-=` for `+=`"),
        ("9", ast.Constant, "`10` for `9`"),
        ("self.a.append(x)", ast.Expr, "nothing for `self.a.append(x)`"),
        ("f'{m:02d}'", ast.FormattedValue, "no format for `:02d`"),
        (f"raise ValueError('{'x' * 90}')", ast.Raise, f"nothing for `raise ValueError('{'x' * 21}…`"),
    ],
)
def test_a_fault_is_told_in_a_few_words(source, kind, what):
    assert told(source, kind)[0][0] == what


@pytest.mark.parametrize(
    ("source", "settled"),
    [
        ("if x > best: best = x", True),
        ("if best < x: best = x", True),
        ("y = a if a < b else b", True),
        ("if x > best: best = y", False),
        ("if x > best: best = x\nelse: n = 1", False),
        ("y = a if a < b else c", False),
        ("while x > best: best = x", False),
        ("if f(x): best = x", False),
    ],
)
def test_boundaries_that_cannot_be_seen(source, settled):
    parent = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.If | ast.IfExp | ast.While))
    assert is_settled(parent, parent.test) is settled
