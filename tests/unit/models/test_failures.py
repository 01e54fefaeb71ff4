import pickle

import pytest

from agentinfra.core.errors import ContextOverflow, ModelError, ModelUnavailable, QuotaExceeded, RateLimited, ReplyError
from agentinfra.models.failures import broken_off, redact, refused_status, retry_after, told_in_stream, unreachable

SECRET = "a-key-of-no-known-form"


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abc123def456",
        "Incorrect API key provided: sk-ab****************wxyz",
        "Authorization: Bearer abcdef123456",
        "https://x.org/v1?api-key=abc123&model=m",
        "https://me:hidden@proxy.example.org:8080/",
        f"You sent {SECRET}!",
    ],
)
def test_what_looks_like_a_key_is_taken_out(text):
    shown = redact(text, ["", SECRET])
    assert not any(part in shown for part in ("abc123", "abcdef", "hidden", "wxyz", SECRET))
    assert shown.startswith(text.split(" ")[0][:8])


@pytest.mark.parametrize("text", ["gpt-5 is not there", "ask-me-anything", "task-list-of-things", "model hf_x"])
def test_other_words_stay(text):
    assert redact(text) == text


def test_a_key_is_taken_out_before_the_text_is_cut():
    error = unreachable("m:m", "http://x", "x" * 285 + SECRET, secrets=[SECRET])
    assert SECRET[:6] not in error.why


@pytest.mark.parametrize("headers", [{}, {"retry-after": ""}, {"retry-after": "1e999"}])
def test_no_time_said_is_none(headers):
    assert retry_after(headers) is None


def test_a_date_is_counted_from_now():
    assert retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, now=40.0) == 60.0


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (400, "Your credit balance is too low", QuotaExceeded),
        (429, "insufficient_quota", QuotaExceeded),
        (429, "Rate limit reached", RateLimited),
        (400, "prompt is too long: 200001 tokens", ContextOverflow),
        (413, "request_too_large", ContextOverflow),
        (413, "", ModelError),
        (418, "I'm a teapot", ModelError),
        (503, "", ModelUnavailable),
    ],
)
def test_words_and_status_decide_together(status, words, kind):
    assert type(refused_status("m:m", status, words, "KEY")) is kind


def test_a_time_to_ask_again_is_told_only_where_asking_again_may_help():
    headers = {"retry-after": "5"}
    assert refused_status("m:m", 503, "", "KEY", headers=headers).retry_after == 5
    assert refused_status("m:m", 400, "", "KEY", headers=headers).retry_after is None


@pytest.mark.parametrize(
    ("code", "emitted", "kind", "transient"),
    [
        ("overloaded_error", False, ModelUnavailable, True),
        ("rate_limit_exceeded", False, RateLimited, True),
        ("insufficient_quota", False, QuotaExceeded, False),
        ("rate_limit_exceeded", True, ReplyError, False),
        ("never_heard_of", False, ReplyError, True),
    ],
)
def test_an_error_within_a_stream_may_pass_only_before_the_answer(code, emitted, kind, transient):
    error = told_in_stream("m:m", code, "words", "KEY", emitted=emitted)
    assert (type(error), error.transient) == (kind, transient)


def test_errors_survive_a_journey_between_processes():
    error = refused_status("m:m", 429, "slow", "KEY", headers={"retry-after": "3"})
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.transient, again.retry_after, str(again)) == (RateLimited, True, 3.0, str(error))
    assert broken_off("m:m", "x").transient is False
