"""The key shows nowhere: not in a model that is printed or walked through, a traceback with locals, or a log."""

import logging
import pickle
import traceback

import pytest

from agentinfra.core.errors import ModelError
from tests.conformance.wire_format import KEY, Said


def shown(value, depth=6, seen=None):
    """What printing a value and everything that hangs on it would show."""
    seen = seen if seen is not None else set()
    if depth == 0 or id(value) in seen or isinstance(value, type):
        return ""
    seen.add(id(value))
    hanging = list(vars(value).values()) if hasattr(value, "__dict__") else []
    hanging += list(value.values()) if isinstance(value, dict) else []
    hanging += list(value) if isinstance(value, (list, tuple, set, frozenset)) else []
    return f"{value!r} " + " ".join(shown(one, depth - 1, seen) for one in hanging)


async def test_a_model_that_is_printed_or_looked_into_before_it_asked_does_not_show_it(bench):
    await bench.serve(Said(text=["ok"]))
    assert "Secret(…)" in shown(bench.model)  # it was found, and does not show itself
    assert KEY not in shown(bench.model)


async def test_an_error_with_the_locals_of_every_frame_does_not_show_it(bench):
    bench.objectionable = True
    await bench.serve(bench.wire.failure(401, f"Incorrect API key provided: {KEY}"))
    with pytest.raises(ModelError) as caught:
        await bench.ask()
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "self = " in told  # locals are shown
    assert KEY not in told
    assert KEY.encode() not in pickle.dumps(caught.value)
    assert caught.value.__cause__ is None


async def test_no_logger_of_the_sdks_or_ours_is_told_it(bench, caplog):
    caplog.set_level(logging.DEBUG)
    await bench.serve(Said(text=["ok"]))
    await bench.ask()
    assert caplog.records  # the SDKs do log at this level
    assert KEY not in caplog.text
    assert all(KEY not in str(record.__dict__) for record in caplog.records)
