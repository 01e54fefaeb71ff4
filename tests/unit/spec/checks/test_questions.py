"""Questions that are open, and the recommended answer written where a person would write it."""

from __future__ import annotations

import pytest

from agentinfra.spec.checks.finding import Documents
from agentinfra.spec.checks.questions import open_questions
from agentinfra.spec.document import parse
from agentinfra.spec.source import apply_edits
from agentinfra.spec.spec_source import read_spec

HEAD = "# T\n\n## Open questions\n\n"
ASKED = "- [ ] Q-1 · Which?\n  - Option: this\n  - Recommended: this\n"
ANSWERED = ASKED.replace("[ ]", "[x]")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ASKED, ANSWERED + "  - Answer: this\n"),
        (ASKED.rstrip(), ANSWERED + "  - Answer: this"),
        (ASKED + "  - Answer:\n", ANSWERED + "  - Answer: this\n"),
        (ASKED + "  - Answer: \n", ANSWERED + "  - Answer: this\n"),
        (ASKED + "\n\n## Out of scope\n", ANSWERED + "  - Answer: this\n\n\n## Out of scope\n"),
        (f"{ASKED}- [x] Q-2 · Why?\n  - Answer: a\n", f"{ANSWERED}  - Answer: this\n- [x] Q-2 · Why?\n  - Answer: a\n"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_fix_takes_the_recommended_answer(before: str, after: str, newline: str):
    text = (HEAD + before).replace("\n", newline)
    (finding,) = open_questions(Documents(read_spec(text)))
    assert finding.fix is not None
    edited = apply_edits(text, finding.fix.edits)
    assert edited == (HEAD + after).replace("\n", newline)
    assert parse(edited).questions[0].answer == "this"


def test_without_a_recommended_answer_a_person_has_to_say():
    (finding,) = open_questions(Documents(read_spec(f"{HEAD}- [ ] Q-1 · Which?\n  - Option: this\n")))
    assert (finding.subject, finding.fix) == ("Q-1", None)
