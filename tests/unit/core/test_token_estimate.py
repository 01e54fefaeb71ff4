import pytest

from agentinfra.core.messages import Image, Message, ToolResult, user
from agentinfra.core.token_estimate import message_tokens, text_tokens


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abc", 1), ("abcd", 2), ("語", 1), ("日本語", 3)])
def test_three_bytes_are_a_token(text, tokens):
    assert text_tokens(text) == tokens


def test_half_a_character_is_counted_too():
    assert text_tokens("\ud83d") == 1


def test_a_message_is_its_parts_and_its_frame():
    assert message_tokens(user("x" * 300)) == 108
    assert message_tokens(Message("tool", (ToolResult("c", "xxx", images=(Image(b"png"),)),))) == 1_609
