"""A key goes to its provider and nowhere else."""

from __future__ import annotations

import base64
from pathlib import Path

from tests.e2e.place import Outcome, Place
from tests.e2e.provider import ECHO, SHORT, Provider

KEY = "sk-canary-4f9Zq81LxW03mTbE7uYvKd52"


def assert_nowhere(place: Place, outcome: Outcome) -> None:
    """The key, plain or encoded, is in no output and in no byte of any file that was written."""
    assert KEY not in outcome.stdout + outcome.stderr
    forms = (KEY.encode(), base64.b64encode(KEY.encode()).rstrip(b"="), KEY.encode("utf-16-le"), KEY[3:].encode())
    for path in files_of(place.root):
        content = path.read_bytes()
        assert not any(form in content for form in forms), path


def files_of(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]


def test_a_whole_run_leaves_the_key_in_no_log_event_record_or_file(place: Place) -> None:
    place.environment["OPENAI_API_KEY"] = KEY
    record = place.root / "record.jsonl"
    with Provider() as provider:
        outcome = place.agentinfra("plan", SHORT, "--init", "--yes", "--record", str(record), *provider.options)
    assert outcome.code == 0, outcome.said
    assert provider.keys == {f"Bearer {KEY}"}
    assert len(files_of(place.root)) > 20  # what is looked through is really there: repository, logs, databases
    assert record in files_of(place.root)
    assert_nowhere(place, outcome)
    assert KEY not in str(place.report())


def test_a_provider_that_repeats_the_key_does_not_bring_it_into_the_message(place: Place) -> None:
    place.environment["OPENAI_API_KEY"] = KEY
    with Provider({"Plan": ECHO, "OpenQuestions": ECHO}) as provider:
        outcome = place.agentinfra("plan", SHORT, "--init", "--yes", *provider.options)
    assert outcome.code in (3, 130), outcome.said
    assert "Incorrect API key" in outcome.said  # the rest of the message is kept
    assert provider.keys == {f"Bearer {KEY}"}
    assert_nowhere(place, outcome)
