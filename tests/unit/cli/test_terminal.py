"""The reader on a real pseudo-terminal, in a process of its own."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

READ = """
import asyncio
from agentinfra.cli.terminal import read_line, terminal_reader

async def main():
    assert terminal_reader() is read_line
    print("ready", flush=True)
    try:
        {body}
    except EOFError:
        print("closed", flush=True)

asyncio.run(main())
"""


@contextmanager
def program(body: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", READ.format(body=body)], stdin=theirs, stdout=-1, text=True)
    os.close(theirs)
    try:
        yield ours, process
    finally:
        process.kill()
        process.communicate()
        os.close(ours)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def answered(keyboard: int, process: subprocess.Popen[str], typed: bytes) -> str:
    """Type until there is an answer: what comes too early is thrown away."""
    for _ in range(50):
        os.write(keyboard, typed)
        if select.select([process.stdout], [], [], 0.2)[0]:
            return said(process)
    raise AssertionError("no answer")


def test_a_line_is_read_while_the_loop_goes_on() -> None:
    body = """
        ticks = asyncio.create_task(asyncio.sleep(0.2))
        line = asyncio.create_task(read_line())
        await ticks
        print("ticked", flush=True)
        print(repr(await line), flush=True)
    """
    with program(body.strip()) as (keyboard, process):
        assert said(process) == "ready"
        assert said(process) == "ticked"
        assert answered(keyboard, process, "grün\n".encode()) == "'grün'"
        assert process.wait(10) == 0


def test_what_was_typed_before_the_question_is_no_answer_to_it() -> None:
    body = """
        await asyncio.sleep(1.0)
        print("asking", flush=True)
        print(repr(await read_line()), flush=True)
    """
    with program(body.strip()) as (keyboard, process):
        assert said(process) == "ready"
        os.write(keyboard, b"y\n")
        assert said(process) == "asking"
        assert answered(keyboard, process, b"n\n") == "'n'"


def test_waiting_for_a_line_can_be_cancelled() -> None:
    body = """
        try:
            await asyncio.wait_for(read_line(), 0.1)
        except TimeoutError:
            print("cancelled", flush=True)
    """
    with program(body.strip()) as (_, process):
        assert said(process) == "ready"
        assert said(process) == "cancelled"
        assert process.wait(10) == 0


def test_the_end_of_the_input_is_told() -> None:
    with program("await read_line()") as (keyboard, process):
        assert said(process) == "ready"
        assert answered(keyboard, process, b"\x04") == "closed"


def test_where_no_terminal_is_there_is_no_reader() -> None:
    check = "from agentinfra.cli.terminal import terminal_reader; print(terminal_reader())"
    result = subprocess.run([sys.executable, "-c", check], input="", capture_output=True, text=True, check=True)
    assert result.stdout == "None\n"
