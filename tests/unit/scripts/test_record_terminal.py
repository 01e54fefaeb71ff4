"""Recording a command at a real terminal, and the picture that is made of it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "record_terminal.py"
SVG = "{http://www.w3.org/2000/svg}"
REDRAWN = """
import os, sys, time
assert os.isatty(0) and os.isatty(1) and os.isatty(2)
print(os.get_terminal_size(), flush=True)
for percent in (10, 60, 100):
    sys.stdout.write(f"\\r{percent} percent")
    sys.stdout.flush()
    time.sleep(0.35)
print()
sys.exit(3)
"""


@pytest.fixture
def record(tmp_path):
    """Runs the script; returns its exit code, what it printed and the picture, which is checked to be sound XML."""

    def run(*arguments):
        out = tmp_path / "picture.svg"
        command = (sys.executable, str(SCRIPT), "--out", str(out), *arguments)
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = subprocess.run(command, **pipes, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, out.read_text() if out.exists() else ""

    return run


@pytest.fixture
def picture_of(record, tmp_path):
    """The picture of a recording that is given as its pieces."""

    def draw(*pieces, size=(40, 4), options=()):
        lines = [{"version": 2, "width": size[0], "height": size[1]}, *([moment, "o", text] for moment, text in pieces)]
        (tmp_path / "made.cast").write_text("\n".join(map(json.dumps, lines)))
        code, printed, picture = record("--from", str(tmp_path / "made.cast"), "--title", "t", *options)
        assert code == 0, printed
        return picture

    return draw


def frames(picture):
    """The frames of a picture, each as the texts of its lines."""
    root = ElementTree.fromstring(picture)
    lines = {group.get("id"): "".join(group.itertext()) for group in root.find(f"{SVG}defs")}
    strip = root.find(f"{SVG}g")
    return [[lines[use.get("href")[1:]] for use in frame] for frame in strip]


def texts(picture):
    """Every drawn piece of text with its attributes."""
    return {text.text: text.attrib for text in ElementTree.fromstring(picture).find(f"{SVG}defs").iter(f"{SVG}text")}


def test_a_command_runs_at_a_terminal_of_its_own_and_each_picture_of_it_is_a_frame(record):
    code, printed, picture = record("--size", "60x5", "--title", "percent", "--", sys.executable, "-c", REDRAWN)
    assert code == 3 and "60 percent" in printed
    shown = frames(picture)
    assert shown[0][0] == "os.terminal_size(columns=60, lines=5)"
    assert [frame[1] for frame in shown] == ["10 percent", "60 percent", "100 percent"]
    assert "percent   ·   1 s" in picture and "times as fast" not in picture


def test_a_recording_is_kept_and_gives_the_same_picture_again(record, tmp_path):
    cast = tmp_path / "kept.cast"
    code, _, first = record("--cast", str(cast), "--title", "hello", "--", "printf", "h\033[1mé\033[0m\n")
    header, *events = map(json.loads, cast.read_text().splitlines())
    assert (code, header["version"], "".join(event[2] for event in events)) == (0, 2, "h\x1b[1mé\x1b[0m\r\n")
    assert record("--from", str(cast), "--title", "hello")[2] == first


def test_a_long_recording_is_played_faster_and_says_so(picture_of):
    picture = picture_of((0.0, "a"), (100.0, "b"), (425.0, "c"), options=("--seconds", "10"))
    assert "t   ·   7:05 min, played 43 times as fast" in picture
    assert frames(picture) == [["a"], ["ab"], ["abc"]]
    played = float(re.search(r"animation:play ([\d.]+)s", picture)[1])
    assert 17 < played <= 18.5


def test_frames_come_at_their_moments_and_the_last_one_stays(picture_of):
    picture = picture_of((0.0, "a"), (2.0, "b"), (6.0, "c"))
    stops = [float(stop) for stop in re.findall(r"([\d.]+)%\{transform", picture)]
    assert len(stops) == 4 and stops[0] == 0 and stops[-1] == 100
    length = float(re.search(r"animation:play ([\d.]+)s", picture)[1])
    assert [round(stop / 100 * length, 1) for stop in stops[1:3]] == pytest.approx([2.0, 6.0], abs=0.6)
    # Where nothing moves, the end is seen.
    assert re.search(r"#strip\{transform:translateX\(-(\d+)px\)", picture)[1] == str(2 * (40 * 8 + 28))


def test_a_picture_that_would_be_too_large_has_fewer_frames_and_keeps_the_last(picture_of):
    pieces = [(0.3 * n, "\033[H" + "\r\n".join(f"{n} {row} " + "x" * 80 for row in range(29))) for n in range(130)]
    picture = picture_of(*pieces, size=(100, 30))
    assert len(picture.encode()) <= 300_000
    shown = frames(picture)
    assert 2 <= len(shown) < 130 and shown[-1][0].startswith("129 0 ")


def test_looks_are_drawn(picture_of):
    picture = picture_of(
        (0.0, "\033[1mbold\033[0m \033[2mfaint\033[22mplain \033[32mgreen\033[0m \033[7mturned\033[0m\r\n"),
        (0.1, "\033[3;4mboth\033[0m \033[38;2;255;2;0mown\033[0m \033[38;5;2mtable\033[0m \033[44mground"),
        (0.2, "\033[0m <&> 日本 end"),
    )
    drawn = texts(picture)
    assert drawn["bold"]["font-weight"] == "bold"
    assert drawn["faint"]["opacity"] == ".6" and "opacity" not in drawn["plain"]
    assert drawn["green"]["fill"] == "#8fce6b" and drawn["turned"]["fill"] == "#16181d"
    assert (drawn["both"]["font-style"], drawn["both"]["text-decoration"]) == ("italic", "underline")
    assert drawn["own"]["fill"] == "#ff0200" and "opacity" not in drawn["own"]
    assert "opacity" not in drawn["table"]
    assert 'fill="#6ca8f7"/>' in picture
    wide = next(text for text in drawn if "日本" in text)
    assert wide.endswith("end") and drawn[wide]["textLength"] == str(8 * len("<&> 1122 end"))


def test_a_command_that_shows_nothing_is_an_empty_screen(record):
    code, _, picture = record("--title", "nothing", "--", "true")
    assert code == 0 and frames(picture) == [[]]


@pytest.mark.parametrize("arguments", [(), ("--from", "x", "--", "true")])
def test_either_a_command_or_a_recording_is_needed(record, arguments):
    code, printed, picture = record(*arguments)
    assert code == 2 and "give either a command or --from FILE" in printed and not picture
