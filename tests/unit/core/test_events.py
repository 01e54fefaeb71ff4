"""Events: the kinds that there are, and their JSON."""

import json
import re

from agentinfra.core import events
from agentinfra.core.events import EVENT_KINDS, RUN_STATES, Event, EventDraft


def test_every_kind_is_described():
    table = re.findall(r"^([a-z_]+)\s{2,}\S", events.__doc__, re.MULTILINE)
    assert tuple(table) == ("kind", *EVENT_KINDS)


def test_an_event_is_plain_json():
    event = Event("r", 1, 2.5, "notice", {"text": "hi"}, ("planner",), key="k")
    assert json.loads(json.dumps(event.to_json())) == {
        "run": "r",
        "seq": 1,
        "time": 2.5,
        "kind": "notice",
        "agent": ["planner"],
        "data": {"text": "hi"},
    }


def test_drafts_do_not_share_their_data():
    one, other = EventDraft("notice"), EventDraft("notice")
    assert one.data == {} and one.data is not other.data


def test_run_states_are_distinct():
    assert len(set(RUN_STATES)) == len(RUN_STATES) == 7
