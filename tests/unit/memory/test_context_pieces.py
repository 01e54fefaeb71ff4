from agentinfra.core.token_estimate import text_tokens
from agentinfra.memory.context_pieces import Piece, Section, join, pack


def piece(start, end, *, path="a.py", reason="r"):
    return Piece(path, start, end, "\n".join(f"{path} line {n}" for n in range(start, end + 1)), (reason,), "similar")


def test_pieces_that_overlap_or_touch_become_one():
    joined = join([piece(5, 9, reason="b"), piece(1, 6, reason="a"), piece(10, 11, reason="a"), piece(13, 14)])
    assert [(one.start, one.end, one.reasons) for one in joined] == [(1, 11, ("a", "b")), (13, 14, ("r",))]
    assert joined[0].text == piece(1, 11).text


def test_a_piece_within_another_adds_nothing():
    assert join([piece(1, 9), piece(3, 4)]) == [piece(1, 9)]


def test_files_stay_in_their_order_and_apart():
    joined = join([piece(4, 5, path="b.py"), piece(1, 3, path="a.py"), piece(1, 2, path="b.py")])
    assert [one.source for one in joined] == ["b.py:1-2", "b.py:4-5", "a.py:1-3"]


def test_parts_of_one_line_are_not_joined():
    parts = [
        Piece("data.py", 1, 2, "first part", ("r",), "file"),
        Piece("data.py", 1, 2, "second part", ("r",), "file"),
    ]
    assert join(parts) == parts


def test_joining_never_takes_more_than_the_parts():
    parts = [piece(1, 6, reason="a"), piece(5, 9, reason="b")]
    (joined,) = join(parts)
    assert joined.tokens <= sum(part.tokens for part in parts)


def test_a_section_gets_its_share_first_and_then_what_is_left():
    many = [piece(n, n, path="many.py") for n in range(1, 50)]
    last = piece(1, 1, path="last.py")
    size = many[0].tokens
    sections = [Section(many, 0.5), Section([last], 0.5)]
    packed = pack(sections, 10 * size)
    assert last in packed
    assert len(packed) >= 9
    assert sum(one.tokens for one in packed) <= 10 * size


def test_what_is_too_large_makes_room_for_what_comes_after_it():
    small = piece(1, 1)
    assert pack([Section([piece(1, 99), small], 1.0)], small.tokens) == [small]


def test_the_same_lines_are_taken_once():
    assert pack([Section([piece(1, 2, reason="a")], 0.5), Section([piece(1, 2, reason="b")], 0.5)], 500) == [
        piece(1, 2, reason="a")
    ]


def test_a_piece_is_shown_below_its_source():
    one = piece(1, 2, reason="because")
    assert str(one) == "=== similar a.py:1-2 (because) ===\na.py line 1\na.py line 2\n"
    assert one.tokens == text_tokens(f"{one}\n")
