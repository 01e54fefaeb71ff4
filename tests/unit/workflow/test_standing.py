"""Whether a specification is what was approved."""

from pathlib import Path

import pytest

from agentinfra.core.errors import SpecError
from agentinfra.spec.front_matter import body_sha, with_front_matter
from agentinfra.workflow.run_state import RunState
from agentinfra.workflow.standing import edited_since, standing

BODY = "# Tea\n\n## Requirements\n\n### FR-1 · Brew\nIt brews.\n\n### FR-2 · Pour\nIt pours.\n"
APPROVED = with_front_matter(BODY, id="r1", status="approved", approved=body_sha(BODY))
STATE = RunState(run="r1", approved_sha=body_sha(BODY))
EDITED = APPROVED.replace("It pours.", "It spills.") + "\n### FR-3 · Wash\nIt washes.\n"


def test_what_is_on_record_is_approved_whatever_its_front_matter_says():
    assert standing(APPROVED, STATE).status == "approved"
    assert standing(with_front_matter(APPROVED, status="draft"), STATE).status == "approved"
    assert str(standing(BODY, STATE)) == "as it was approved"


def test_an_edit_makes_drafts_of_what_it_touches_alone():
    found = standing(EDITED, STATE, APPROVED)
    assert (found.status, found.drafts) == ("draft", ("FR-2", "FR-3"))
    assert str(found) == "draft again, edited since its approval: added FR-3; modified FR-2"


@pytest.mark.parametrize("approved", ["", EDITED, "# Other\n"])
def test_without_the_approved_text_everything_is_a_draft(approved: str):
    found = standing(EDITED, STATE, approved)
    assert (found.status, found.drafts, found.change) == ("draft", ("FR-1", "FR-2", "FR-3"), None)


def test_a_text_that_claims_its_approval_is_a_draft():
    assert standing(APPROVED, RunState(run="r1")).status == "draft"
    forged = with_front_matter(EDITED, status="approved", approved=body_sha(EDITED))
    assert standing(forged, STATE, APPROVED).drafts == ("FR-2", "FR-3")
    assert str(standing(APPROVED, RunState())) == "draft: nothing of it is approved"


def test_a_text_that_cannot_be_read_is_refused():
    with pytest.raises(SpecError):
        standing("nothing", STATE)


async def test_the_workspace_is_told_of_only_where_its_document_is_the_runs_and_edited(tmp_path: Path):
    spec, kept = tmp_path / "spec.md", tmp_path / "kept.md"
    kept.write_text(BODY)
    assert await edited_since(tmp_path, STATE, kept) is None
    spec.write_text(APPROVED)
    assert await edited_since(tmp_path, STATE, kept) is None
    spec.write_text("half written")
    assert await edited_since(tmp_path, STATE, kept) is None
    spec.write_text(EDITED.replace("id: r1", "id: r0"))
    assert await edited_since(tmp_path, STATE, kept) is None
    spec.write_text(EDITED)
    found = await edited_since(tmp_path, STATE, kept)
    assert found is not None
    assert found.drafts == ("FR-2", "FR-3")
