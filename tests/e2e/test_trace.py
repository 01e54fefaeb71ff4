"""From a requirement of the demo to its tests, commits and lines, and from a line back to its requirement."""

from __future__ import annotations

import json

from tests.e2e.conftest import Demo


def test_every_requirement_leads_to_lines_and_every_line_back(demo: Demo) -> None:
    place, branch = demo.place, demo.place.branch()
    outcome = place.agentinfra("spec trace", "--ref", branch, "--json")
    assert outcome.code == 0, outcome.said
    told = json.loads(outcome.stdout)
    assert told["coverage"] == {"proven": 4, "requirements": 4}
    for link in told["links"]:
        assert link["proven"]
        assert link["tests"]
        assert link["commit"] in place.commits(branch)
        names = [link["requirement"], link["task"], link["tests"][0], link["commit"][:9]]
        names += [f"{one['path']}:{one['last']}" for one in link["places"]]
        assert any(one["path"].startswith("tests/") for one in link["places"])
    for name in names:  # of the last one
        back = place.agentinfra("spec trace", name, "--ref", branch, "--json")
        assert [one["requirement"] for one in json.loads(back.stdout)["links"]] == [link["requirement"]], name


def test_a_matrix_is_written_and_what_is_not_there_is_told(demo: Demo) -> None:
    place, branch = demo.place, demo.place.branch()
    file = place.root / "matrix.csv"
    outcome = place.agentinfra("spec trace", "--ref", branch, "--format", "csv", "--output", str(file))
    assert outcome.code == 0, outcome.said
    assert len(file.read_text().splitlines()) == 5
    for arguments, message in (
        (("FR-77", "--ref", branch), "Nothing is traced to FR-77"),
        (("--format", "pdf"), "no format 'pdf'"),
        (("--ref", "nowhere"), "nowhere"),
        (("--ref", branch, "--output", str(place.root)), "cannot be written"),
    ):
        outcome = place.agentinfra("spec trace", *arguments)
        assert outcome.code == 2, outcome.said
        assert message in outcome.said
