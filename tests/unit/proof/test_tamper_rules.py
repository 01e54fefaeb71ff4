import ast

import pytest

from agentinfra.proof.tamper_rules import suspicions


def rules(code):
    return {found.rule for found in suspicions(ast.parse(code), "test_sums")}


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("frames", "import sys\nsys._getframe(1)"),
        ("frames", "from sys import _getframe as here\nhere(1)"),
        ("frames", "import inspect\ninspect.stack()"),
        ("frames", "def f(frame):\n    return frame.f_back"),
        ("frames", "import operator\noperator.attrgetter('x.f_back')"),
        ("frames", "import gc\ngc.get_objects()"),
        ("frames", "import sys\ngetattr(sys, '_getframe')(0)"),
        ("tracing", "import sys\nsys.settrace(print)"),
        ("imports", "import sys\nsys.meta_path.insert(0, None)"),
        ("runner", "import _pytest.runner"),
        ("runner", "from _pytest import runner"),
        ("runner", "from unittest import mock"),
        ("tests", "import tests.test_sums"),
        ("tests", "from test_sums import half"),
        ("tests", "from pathlib import Path\nPath('tests').iterdir()"),
        ("tests", "open('tests/test_sums.py')"),
        ("tests", "def f(here):\n    return here.glob('test_*.py')"),
        ("tests", "def f(here):\n    return here / 'tests'"),
        ("patching", "import builtins\nbuiltins.isinstance = print"),
        ("patching", "import time\ntime.time = lambda: 0"),
        ("patching", "from pathlib import Path\nPath.read_text = None"),
        ("patching", "import subprocess\nsetattr(subprocess, 'run', None)"),
        ("patching", "import builtins\nbuiltins.__dict__['len'] = None"),
        ("patching", "import builtins\nvars(builtins)['len'] = None"),
        ("patching", "__import__('time').sleep = None"),
        ("patching", "import sys\nsys.modules['json'] = None"),
        ("patching", "import sys\nsys.exit = None"),
        ("patching", "import pytest\npytest.raises = None"),
        ("patching", "import sys\ndel sys.modules['json']"),
        ("hidden", "import os\ngetattr(os, '_ex' + 'it')(0)"),
        ("hidden", "def f(x):\n    getattr(x, 'f_' + 'back')"),
        ("hidden", "__import__('o' + 's')"),
        ("hidden", "exec('im' 'port os' + '; os')"),
        ("hidden", "import base64\nexec(base64.b64decode('eA=='))"),
        ("hidden", "eval(''.join(map(chr, [49])))"),
        ("detection", "import sys\nx = 'pytest' in sys.modules"),
        ("detection", "import os\nos.environ.get('PYTEST_CURRENT_TEST')"),
        ("detection", "import sys\nsys.modules['__main__']"),
        ("detection", "import sys\nx = 'unittest' in sys.modules"),
        ("detection", "import sys\nfor one in list(sys.modules.values()):\n    print(one)"),
        ("detection", "import sys\nx = any('test' in one for one in sys.modules)"),
        ("patching", "import sys\nsetattr(sys, 'exit', None)"),
        ("patching", "import sys as s\ndel s.modules['json']"),
        ("detection", "import sys\nsys.argv[0].endswith('pytest')"),
    ],
)
def test_means_that_have_no_place_in_code_under_test(rule, code):
    assert rule in rules(code)


@pytest.mark.parametrize(
    "code",
    [
        "import sys\nsys.exit(1)",
        "import sys\nsys.stdout = None\nsys.argv = []\nsys.path.insert(0, '.')",
        "import sys\nx = sys.modules[__name__]",
        "import os\nos.environ['MODE'] = 'x'\ndel os.environ['MODE']",
        "import random, time\nrandom.seed(1)\ntime.sleep(0)",
        "import decimal\ndecimal.getcontext().prec = 28",
        "import inspect\ninspect.signature(print)",
        "import logging\nlogging.raiseExceptions = False",
        "import pytest\n\ndef test_it():\n    with pytest.raises(ValueError):\n        f()",
        "import unittest\n\nclass T(unittest.TestCase):\n    pass",
        "import atexit\natexit.register(print)",
        "import base64\nx = base64.b64decode('eA==')",
        "def f(text):\n    return eval(text)",
        "def f(obj, name):\n    return getattr(obj, 'do_' + name)",
        "import test_suite\nfrom shop.test_kit import kit",
        "import sys\nx = sys.modules[type(sys).__module__]\ny = 'numpy' in sys.modules",
        "import sys\nsetattr(sys, 'stdout', None)",
        "import builtins\nbuiltins._ = str",
        "def where(error):\n    return error.__traceback__.tb_frame.f_code.co_name",
        "from types import SimpleNamespace\nx = SimpleNamespace()\nx.time = 1",
        "from collections import namedtuple\nP = namedtuple('P', 'x')\nP.__doc__ = 'A point.'",
        "class Clock:\n    def __init__(self, time):\n        self.time = time",
        "def f():\n    '''Run by pytest, see tests/test_sums.py.'''\n    return {'tests': 3}",
        "from pathlib import Path\nPath(__file__).with_name('data.json').read_text()",
        "open('test_data.txt')",
    ],
)
def test_ordinary_code_is_let_pass(code):
    assert rules(code) == set()


def test_the_line_is_that_of_the_means():
    (found,) = suspicions(ast.parse("import sys\n\nsys.settrace(None)"))
    assert found.line == 3
