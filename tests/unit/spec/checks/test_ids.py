"""Ids at the sizes that people will not write by hand."""

import time

import pytest

from agentinfra.spec.checks.finding import Documents
from agentinfra.spec.checks.ids import duplicate_ids
from agentinfra.spec.spec_source import read_spec
from agentinfra.spec.tasks_source import read_tasks

NUMBER = 7_000


@pytest.mark.parametrize(
    ("spec", "tasks"), [("# T\n" + "### FR-1 · A\n" * NUMBER, ""), ("# T\n", "- [ ] T-1 · A\n" * NUMBER)]
)
def test_an_id_that_is_given_thousands_of_times_gets_as_many_new_ones_in_time(spec: str, tasks: str):
    documents = Documents(read_spec(spec), read_tasks(tasks))
    begin = time.process_time()
    findings = list(duplicate_ids(documents))
    assert time.process_time() - begin < 1
    assert len({one.fix.edits[0].text for one in findings if one.fix}) == NUMBER - 1
