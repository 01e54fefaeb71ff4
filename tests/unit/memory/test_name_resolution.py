import pytest

from agentinfra.memory.chunk import Definition, Reference
from agentinfra.memory.name_resolution import Imports, module_parts, resolve


def imports(*names):
    return Imports([Reference(name, "import", 1) for name in names])


def place(path, symbol):
    return path, Definition(symbol, "function", 1)


@pytest.mark.parametrize(
    ("imported", "path"),
    [
        ("app.core.errors", "app/core/errors.py"),
        ("app.core.errors.AppError", "app/core/errors.py"),
        ("..core.errors.AppError", "src/app/core/errors.py"),
        ("app.core.start", "app/core/__init__.py"),
        ("./lib/errors", "web/lib/errors.ts"),
        ("../lib/errors.js", "web/lib/errors.ts"),
        ("./lib", "web/lib/index.ts"),
        ("./Button.svelte", "web/Button.svelte"),
    ],
)
def test_an_import_covers_its_file(imported, path):
    assert imports(imported).covers(path)


@pytest.mark.parametrize("path", ["app/errors.py", "core/errors/other.py", "errors.py", "__init__.py"])
def test_an_import_covers_no_other_file(path):
    assert not imports("app.core.errors").covers(path)


def test_a_package_has_its_folders_name():
    assert module_parts("a/b/__init__.py") == module_parts("a/b/index.ts") == module_parts("a/b.py") == ("a", "b")


def test_the_file_itself_goes_before_what_it_imports():
    own, other = place("a.py", "load"), place("b.py", "load")
    assert resolve("load", "a.py", imports("b.load"), [other, own]) == [own]
    assert resolve("load", "c.py", imports("b.load"), [other, own]) == [other]


def test_a_plain_name_may_be_a_neighbours_unless_it_is_imported_from_elsewhere():
    candidates = [place("a.go", "load"), place("b.go", "load")]
    assert resolve("load", "c.go", imports(), candidates) == candidates
    assert resolve("load", "c.go", imports("json.load"), candidates) == []
    assert resolve("load", "c.go", imports(), [place(f"{n}.go", "load") for n in range(9)]) == []


def test_the_method_of_an_unknown_object_means_nothing():
    method = [place("b.py", "Cache.get")]
    assert resolve("thing.get", "a.py", imports("json"), method) == []
    assert resolve("thing.get", "a.py", imports("b.Cache"), method) == method
    assert resolve("get", "a.py", imports("b.Cache"), method) == []


def test_a_function_of_a_module_is_called_by_the_modules_name():
    function = [place("lib/texts.py", "split")]
    assert resolve("texts.split", "a.py", imports("lib.texts"), function) == function
    assert resolve("line.split", "a.py", imports("lib.texts"), function) == []
