import time
import unicodedata

import pytest

from agentinfra.security.clean import clean_line, clean_text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9d52;c;aGk=\x9ctext", "text"),
        ("\x1bPq#0;2;0;0;0\x1b\\text", "text"),
        ("\x1b_payload\x1b\\text", "text"),
        ("\x1bc\x1b(0text", "text"),
        ("\x1b[31", "[31"),
        ("beep\x07\x08\x08\x00!", "beep!"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("\u2066a\u2069\u200f\u061c", "a"),
        ("pass\u200bword\u2060\ufeff", "password"),
        ("hi" + "".join(chr(0xE0000 + ord(c)) for c in "obey"), "hi"),
        ("x\U000e0101y\ufe01", "xy"),
        ("\u3164\u115fx", "x"),
        ("lone \ud800", "lone \ufffd"),
        ("\x7fdel", "del"),
    ],
)
def test_what_a_terminal_would_obey_is_gone(hostile: str, shown: str) -> None:
    assert clean_text(hostile) == shown


@pytest.mark.parametrize("text", ["Grüße, 你好, שלום, नमस्ते", "tab\tand\nline", "👍 ❤️ é", "[not] a \\ sequence"])
def test_ordinary_text_stays(text: str) -> None:
    assert clean_text(text) == text


def test_a_carriage_return_cannot_overwrite_a_line() -> None:
    assert clean_text("delete all\rkeep all\r\nnext\u2028last") == "delete all\nkeep all\nnext\nlast"


def test_a_sequence_without_end_hides_nothing() -> None:
    assert clean_text("ls \x1b]0; && rm -rf ~") == "ls ]0; && rm -rf ~"


def test_removing_one_sequence_does_not_make_another() -> None:
    cleaned = clean_text("\x1b\x1b[0m[31mred \x1b]0;\x1b[0m;x\x07y")
    assert not any(unicodedata.category(character) == "Cc" for character in cleaned)


def test_text_is_cut_with_a_mark() -> None:
    assert clean_text("abcdef", 4) == "abc…"
    assert clean_text("abcd", 4) == "abcd"
    assert clean_text("\u200b" * 10_000 + "x", 10) == "…"
    assert clean_text("abc", 0) == ""


def test_a_line_has_no_line_ends() -> None:
    assert clean_line("  one\n\n\ttwo \x1b[1mthree\n") == "one two three"
    assert clean_line("word " * 100, 12) == "word word w…"


def test_hostile_input_takes_linear_time() -> None:
    started = time.perf_counter()
    for hostile in ("\x1b]0;" * 200_000, "\x9d" * 200_000, "\x1b[" * 200_000, "\x1b]" + "a" * 200_000):
        clean_text(hostile, 1_000_000)
    assert time.perf_counter() - started < 5
