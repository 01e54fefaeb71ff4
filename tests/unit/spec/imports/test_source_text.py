import os

import pytest

from agentinfra.core.errors import InputError, SpecError
from agentinfra.spec.imports.source_text import MAX_BYTES, broken, read_source


def test_line_ends_and_the_byte_order_mark_are_made_one(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert read_source(tmp_path / "a", "a") == "a\nb\nc\n"


def test_ten_megabytes_are_read_and_no_byte_more(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * MAX_BYTES)
    assert len(read_source(tmp_path / "a", "a")) == MAX_BYTES
    (tmp_path / "a").write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(InputError, match=r"a is too large\. It has 10 MB; .*Import a part of it"):
        read_source(tmp_path / "a", "a")


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(InputError, match="is no file"):
            read_source(tmp_path / name, name)
    with pytest.raises(InputError, match=r"b cannot be read\. No such file"):
        read_source(tmp_path / "b", "b")


def test_what_is_not_utf_8_is_named_with_line_and_byte(tmp_path):
    (tmp_path / "a").write_bytes(b"a\nb\n\xff")
    with pytest.raises(SpecError, match=r"a:3 cannot be imported\. byte 0xff is not UTF-8"):
        read_source(tmp_path / "a", "a")


def test_the_error_has_place_reason_and_next_step():
    error = broken("a.md", 3, "it is odd", "Make it even")
    assert str(error) == "a.md:3 cannot be imported. it is odd. Make it even."
