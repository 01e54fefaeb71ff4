import io
import json
import tarfile
import zipfile

from benchmarks.embedder_corpus import fetch, licence_of, package_names, pairs_of

PYTHON = 'def f{n}(x):\n    """{sentence}"""\n    a = x + {n}\n    b = a * a\n    return b\n'
SCRIPT = "/** {sentence} */\nexport function f{n}(x) {{\n  const a = x + {n};\n  const b = a * a;\n  return b;\n}}\n"


def wheel(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny/a.py", PYTHON.format(n=1, sentence="Square the sum of things."))
        archive.writestr("tiny/b.py", PYTHON.format(n=1, sentence="The same body once more."))
        archive.writestr("tiny/c.py", PYTHON.format(n=2, sentence="Square the sum of things."))
        archive.writestr("tiny/tests/test_a.py", PYTHON.format(n=3, sentence="Tests are left out here."))
        archive.writestr(
            "tiny-1.0.dist-info/METADATA", "Name: tiny\nClassifier: License :: OSI Approved :: MIT License\n"
        )
    return path


def package(path):
    files = {
        "package/package.json": json.dumps({"license": "ISC"}),
        "package/lib/math.js": SCRIPT.format(n=7, sentence="Made from the source below."),
        "package/src/math.ts": SCRIPT.format(n=1, sentence="Adds and squares all numbers."),
        "package/src/math.d.ts": SCRIPT.format(n=2, sentence="Only declares what there is."),
        "package/src/small.js": "/** It is one long line */" + SCRIPT.format(n=3, sentence="x").replace("\n", " ") * 9,
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def test_a_wheel_gives_each_body_and_each_sentence_once(tmp_path):
    archive = wheel(tmp_path / "tiny.whl")
    assert [pair.sentence for pair in pairs_of(archive)] == ["Square the sum of things."]
    assert licence_of(archive) == "MIT License"


def test_a_package_gives_what_people_wrote(tmp_path):
    archive = package(tmp_path / "tiny-1.0.0.tgz")
    assert [pair.sentence for pair in pairs_of(archive)] == ["Adds and squares all numbers."]
    assert licence_of(archive) == "ISC"


def test_what_was_fetched_is_not_fetched_again(tmp_path):
    place = tmp_path / "scope-tiny-1.0.0"
    place.mkdir()
    (place / "tiny-1.0.0.tgz").write_bytes(b"here")
    assert fetch("@scope/tiny@1.0.0", tmp_path) == place / "tiny-1.0.0.tgz"


def test_every_package_is_pinned_and_none_is_measured_on():
    names = package_names()
    assert len(names) == len(set(names)) > 100
    assert all("==" in name or "@" in name[1:] for name in names)
    measured = ("rxjs@", "typeorm@", "ethers@", "@angular/", "@apollo/", "lexical@", "apache-arrow@", "zod@")
    assert not [name for name in names if name.startswith((*measured, "typescript@", "sequelize@"))]
