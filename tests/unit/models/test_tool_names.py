import re

from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.core.messages import ChatRequest, Message, ToolCall, ToolSpec
from agentinfra.models.tool_names import ToolNames

names = st.lists(st.one_of(st.text(max_size=80), st.sampled_from(["a.b", "a_b", "a b", "a" * 70])), max_size=6)


@settings(deadline=None)
@given(names)
def test_names_on_the_wire_are_legal_and_lead_back(own):
    mapping = ToolNames(own)
    wire = [mapping.out(name) for name in dict.fromkeys(own)]
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in wire)
    assert len(set(wire)) == len(wire)
    assert [mapping.back(name) for name in wire] == list(dict.fromkeys(own))


@settings(deadline=None)
@given(names)
def test_legal_names_are_their_own(own):
    legal = [name for name in own if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)]
    assert [ToolNames(own).out(name) for name in legal] == legal


def test_names_come_from_the_tools_first_and_then_from_old_calls():
    past = Message("assistant", (ToolCall("1", "a b", {}), ToolCall("2", "a.b", {})))
    mapping = ToolNames.of(ChatRequest((past,), tools=(ToolSpec("a.b", "", {}),)))
    assert (mapping.out("a.b"), mapping.out("a b")) == ("a_b", "a_b_2")


def test_a_name_that_the_model_invented_is_its_own():
    assert ToolNames(["a.b"]).back("invented") == "invented"
