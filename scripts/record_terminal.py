"""Run a command at a terminal of its own and make an animated picture of what it showed.

    python scripts/record_terminal.py --title "make demo" -- make demo

The picture is played faster than it was, by a factor that stands in it. --cast keeps the recording (asciicast v2), from
which --from makes the picture again without running anything.
"""

from __future__ import annotations

import argparse
import codecs
import json
import math
import os
import pty
import shlex
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from terminal_svg import Screenshot, animation, screenshots

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "demo.svg"
MOST_BYTES = 300_000
CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Recording:
    """What a terminal was told.

    Attributes:
        columns: Its width, in characters.
        rows: Its height, in lines.
        pieces: Text by seconds since the start.
        exit_code: Of the command; None where it was read from a file.
    """

    columns: int
    rows: int
    pieces: tuple[tuple[float, str], ...]
    exit_code: int | None = None

    @property
    def seconds(self) -> float:
        """When the last piece came."""
        return self.pieces[-1][0] if self.pieces else 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Record, or read a recording, and write the picture; the exit code is the command's."""
    options = parse(arguments)
    columns, rows = options.size
    recording = read_cast(options.source) if options.source else record(options.command, columns, rows)
    if options.cast:
        write_cast(recording, options.cast)
    title = options.title or shlex.join(options.command)
    picture = fitting(recording, title, options.seconds)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(picture, "utf-8")
    print(f"{options.out}: {len(picture.encode()):,} bytes", file=sys.stderr)
    return recording.exit_code or 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="record_terminal.py", description="Record a command as an animated picture.")
    add = parser.add_argument
    add("--out", type=Path, default=PICTURE, metavar="FILE.svg")
    add("--size", type=size, default=(100, 30), metavar="100x30", help="columns and rows")
    add("--seconds", type=float, default=40.0, metavar="S", help="how long the picture may play")
    add("--title", default="", help="what stands at its top; by default the command")
    add("--cast", type=Path, metavar="FILE", help="keep the recording")
    add("--from", dest="source", type=Path, metavar="FILE", help="take a kept recording instead of a command")
    add("command", nargs="*", help="what to run, after --")
    given = parser.parse_args(arguments)
    if bool(given.command) == bool(given.source):
        parser.error("give either a command or --from FILE")
    return given


def size(text: str) -> tuple[int, int]:
    """Columns and rows from the command line."""
    columns, rows = (int(part) for part in text.split("x"))
    return columns, rows


def record(command: Sequence[str], columns: int, rows: int) -> Recording:
    """Run a command at a terminal of its own; what it shows is passed on as it comes."""
    own_end, its_end = pty.openpty()
    termios.tcsetwinsize(its_end, (rows, columns))
    plain = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    env = {**plain, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    streams: dict[str, Any] = {"stdin": its_end, "stdout": its_end, "stderr": its_end}
    with subprocess.Popen(command, env=env, start_new_session=True, **streams) as process:
        os.close(its_end)
        try:
            pieces = tuple(follow(own_end))
        finally:
            os.close(own_end)
            if process.poll() is None:
                process.terminate()
    return Recording(columns, rows, pieces, process.returncode)


def follow(terminal: int) -> Iterator[tuple[float, str]]:
    """What comes from a terminal until nobody holds its other end any more, with the time of each piece."""
    started = time.monotonic()
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    while data := read(terminal):
        text = decode(data)
        sys.stdout.write(text)
        sys.stdout.flush()
        yield time.monotonic() - started, text


def read(terminal: int) -> bytes:
    """The next bytes; none at the end, which Linux reports as an input error."""
    try:
        return os.read(terminal, CHUNK)
    except OSError:
        return b""


def write_cast(recording: Recording, file: Path) -> None:
    """Keep a recording as asciicast v2."""
    header = {"version": 2, "width": recording.columns, "height": recording.rows}
    lines = [header, *([round(moment, 3), "o", text] for moment, text in recording.pieces)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


def read_cast(file: Path) -> Recording:
    """Read a recording that was kept."""
    header, *events = (json.loads(line) for line in file.read_text("utf-8").splitlines())
    events = cast("list[tuple[float, str, str]]", events)
    pieces = tuple((moment, text) for moment, kind, text in events if kind == "o")
    return Recording(header["width"], header["height"], pieces)


def fitting(recording: Recording, title: str, seconds: float) -> str:
    """The picture, with as many frames as its limit of bytes allows; at the least the last one.

    Args:
        recording: What is shown.
        title: What stands at the top.
        seconds: How long it plays, if it was longer than that.
    """
    factor = max(1, math.ceil(recording.seconds / seconds))
    note = f"{title}   ·   {clock(recording.seconds)}" + (f", played {factor} times as fast" if factor > 1 else "")
    frames = screenshots(recording.pieces, recording.columns, recording.rows, factor)
    picture = animation(frames, recording.columns, note)
    while len(picture.encode()) > MOST_BYTES and len(frames) > 1:
        frames = thinned(frames)
        picture = animation(frames, recording.columns, note)
    return picture


def thinned(frames: Sequence[Screenshot]) -> list[Screenshot]:
    """Every second frame; the last one stays."""
    return list(reversed(frames[::-1][::2]))


def clock(seconds: float) -> str:
    """Seconds as people say them: ``8 s`` or ``7:05 min``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min" if minutes else f"{rest} s"


if __name__ == "__main__":
    sys.exit(main())
