import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.spec.front_matter import body_sha, read_front_matter, split, with_front_matter

values = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize(
    ("front", "read"),
    [
        ("", {}),
        ("---\n---\n", {}),
        ("---\nid: a-b\n---\n", {"id": "a-b"}),
        ("---\r\nid: a\r\n---\r\n", {"id": "a"}),
        ("\ufeff---\nid: a\n---\n", {"id": "a"}),
        ('---\nid: "a: b # c"  # why\n---\n', {"id": "a: b # c"}),
        ("---\nid: a   # why\n# comment\nlist:\n  - x\n---\n", {"id": "a", "list": ""}),
        ("---\nid: never closed\n", {}),
    ],
)
def test_values_are_read(front: str, read: dict[str, str]):
    assert read_front_matter(f"{front}body: no\n") == read


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("---\nid: a\nstatus: draft\n---\nbody\n", "---\nid: a\nstatus: done\n---\nbody\n"),
        ("---\r\nstatus:   draft   # why\r\n---\r\nbody\r\n", "---\r\nstatus:   done   # why\r\n---\r\nbody\r\n"),
        ("---\nid: a\n---\nbody", "---\nid: a\nstatus: done\n---\nbody"),
        ("---\nstatus:\n---", "---\nstatus: done\n---"),
        ("body\n", "---\nstatus: done\n---\nbody\n"),
        ("a\r\nb\r\n", "---\r\nstatus: done\r\n---\r\na\r\nb\r\n"),
        ("\ufeffbody", "\ufeff---\nstatus: done\n---\nbody"),
    ],
)
def test_an_edit_keeps_every_other_byte(text: str, edited: str):
    assert with_front_matter(text, status="done") == edited
    assert body_sha(edited) == body_sha(text)


@settings(deadline=None)
@given(st.sampled_from(["", "---\n---\n", "---\nid: x\nkey: y\n---\n"]), values, values, values)
def test_any_value_is_read_back_and_the_body_stays(front: str, body: str, first: str, second: str):
    text = front + "\n" + body
    edited = with_front_matter(text, key=first, other=second)
    assert read_front_matter(edited)["key"] == first
    assert read_front_matter(edited)["other"] == second
    assert split(edited).body == split(text).body


def test_the_hash_sees_the_body_and_not_its_line_ends():
    assert body_sha("a\nb\n") == body_sha("a\r\nb\r\n") == body_sha("---\nid: x\n---\na\nb\n")
    assert body_sha("a\nb\n") != body_sha("a\nb")
