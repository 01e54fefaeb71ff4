import pytest

from agentinfra.core.messages import Audio, ChatRequest, ToolSpec, system, user
from agentinfra.models.openai_request import cache_key, effort_of, profile_of, sound_format, strict_schema, thinks


@pytest.mark.parametrize(
    ("name", "expected"), [("o1", True), ("o4-mini", True), ("gpt-5", True), ("gpt-10", True), ("gpt-4.1", False)]
)
def test_models_that_think_are_known_by_name(name, expected):
    assert thinks(name) is expected


@pytest.mark.parametrize(
    ("effort", "model", "word"),
    [
        ("high", "o3", "high"),
        ("none", "o3", "low"),
        ("none", "gpt-5", "minimal"),
        ("none", "gpt-5-mini", "minimal"),
        ("none", "gpt-5.2", "none"),
        ("none", "llama", "none"),
    ],
)
def test_the_least_effort_is_what_the_model_knows(effort, model, word):
    assert effort_of(effort, model) == word


@pytest.mark.parametrize(
    ("model", "inputs", "outputs", "context"),
    [
        ("gpt-5", ("text", "image", "file"), ("text", "image"), 400_000),
        ("gpt-4.1-mini", ("text", "image", "file"), ("text", "image"), 1_000_000),
        ("gpt-4o-audio-preview", ("text", "audio"), ("text", "audio"), 128_000),
        ("gpt-audio", ("text", "audio"), ("text", "audio"), 128_000),
        ("o3-mini", ("text",), ("text",), 200_000),
        ("gpt-4", ("text",), ("text",), 8_192),
    ],
)
def test_what_openais_models_can_do(model, inputs, outputs, context):
    profile = profile_of(model, responses=True)
    assert (profile.inputs, profile.outputs, profile.context_tokens) == (inputs, outputs, context)


def test_chat_completions_draw_nothing():
    assert profile_of("gpt-5", responses=False).outputs == ("text",)


def test_the_cache_key_follows_instructions_and_tools():
    tool = ToolSpec("add", "Adds", {"type": "object"})
    start = ChatRequest((system("Be brief"), user("One")), tools=(tool,))
    keys = {
        cache_key(start),
        cache_key(ChatRequest((system("Be long"), user("One")), tools=(tool,))),
        cache_key(ChatRequest((system("Be brief"), user("One")))),
    }
    assert len(keys) == 3
    assert cache_key(ChatRequest((system("Be brief"), user("Two")), tools=(tool,), temperature=1.0)) in keys
    assert all(len(key) <= 64 for key in keys)


CLOSED = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def test_a_schema_without_optional_members_is_closed_at_every_depth():
    schema = {
        "type": "object",
        "properties": {"list": {"type": "array", "items": CLOSED}, "one": {"anyOf": [{"$ref": "#/$defs/x"}, CLOSED]}},
        "required": ["one", "list"],
        "$defs": {"x": CLOSED},
    }
    strict = strict_schema(schema)
    closed = {**CLOSED, "additionalProperties": False}
    assert strict["additionalProperties"] is False
    assert strict["properties"]["list"]["items"] == closed
    assert strict["properties"]["one"]["anyOf"][1] == closed
    assert strict["$defs"]["x"] == closed
    assert "additionalProperties" not in schema


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": CLOSED},
        {**CLOSED, "required": []},
        {**CLOSED, "additionalProperties": {"type": "string"}},
        {**CLOSED, "properties": {"n": {"type": "integer", "default": 1}}},
        {"type": "object", "properties": {"n": {**CLOSED, "required": []}}, "required": ["n"]},
    ],
)
def test_a_schema_that_strict_mode_cannot_express_is_none(schema):
    assert strict_schema(schema) is None


def test_a_member_may_be_called_like_a_word_of_the_language():
    schema = {"type": "object", "properties": {"required": {"type": "string"}}, "required": ["required"]}
    assert strict_schema(schema)["properties"] == schema["properties"]


@pytest.mark.parametrize(("kind", "word"), [("audio/wav", "wav"), ("audio/x-wav", "wav"), ("audio/mpeg", "mp3")])
def test_sound_formats_have_short_names(kind, word):
    assert sound_format(Audio(b"", kind)) == word
