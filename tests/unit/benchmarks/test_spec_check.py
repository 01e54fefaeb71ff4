"""The documents that the checks are timed with are what their names say."""

from __future__ import annotations

from agentinfra.spec.diagnostics import check_documents
from agentinfra.spec.document import parse
from agentinfra.spec.spec_source import read_spec
from agentinfra.spec.tasks_document import parse_tasks
from agentinfra.spec.tasks_source import read_tasks
from benchmarks.spec_check import REQUIREMENTS, TASKS, chain, claims, parts, ring, specification


def test_the_documents_are_sound_and_as_large_as_said():
    spec, tasks = specification(REQUIREMENTS), parts(TASKS, REQUIREMENTS)
    assert len(parse(spec).requirements) == REQUIREMENTS
    assert len(parse_tasks(tasks)) == TASKS
    assert check_documents(read_spec(spec), read_tasks(tasks)) == []


def test_a_ring_is_found_and_a_chain_is_none():
    spec = read_spec(specification(1))
    assert {one.code for one in check_documents(spec, read_tasks(claims(ring(30))))} == {"dependency-cycle"}
    # The last task of the chain waits for one that is not there.
    assert [one.code for one in check_documents(spec, read_tasks(claims(chain(30))))] == ["unknown-id"]
