import pytest

from agentinfra.spec.diagnostics import check
from agentinfra.spec.requirements import Example, Question, Requirement, Spec

EXAMPLE = (Example("f(1)", "returns", "2"),)


def spec(*requirements: Requirement, questions: tuple[Question, ...] = ()) -> Spec:
    return Spec("t", "i", "g", requirements, questions)


@pytest.mark.parametrize(
    ("broken", "code", "subject"),
    [
        (spec(*[Requirement("FR-1", "a", "", examples=EXAMPLE)] * 2), "duplicate-id", "FR-1"),
        (spec(Requirement("FR-1", "a", "")), "no-acceptance", "FR-1"),
        (spec(questions=(Question("Q-1", "Which?"),)), "open-question", "Q-1"),
        (
            spec(
                Requirement("FR-1", "a", "", "m.py", ("f(a)",), EXAMPLE),
                Requirement("FR-2", "b", "", "m.py", ("f(b)",), EXAMPLE),
            ),
            "doubled-symbol",
            "FR-2",
        ),
        (
            spec(Requirement("FR-1", "a", "", "m.py", (), EXAMPLE), Requirement("FR-2", "b", "", "M.py", (), EXAMPLE)),
            "file-spelling",
            "FR-2",
        ),
    ],
)
def test_each_fault_is_found(broken: Spec, code: str, subject: str):
    assert [(finding.code, finding.subject) for finding in check(broken)] == [(code, subject)]


def test_a_sound_specification_has_no_findings():
    sound = spec(
        Requirement("FR-1", "a", "", "m.py", ("f(a)", "class C(b)"), EXAMPLE),
        Requirement("FR-2", "b", "", "n.py", ("f(a)", "C.f(a)"), EXAMPLE),
        questions=(Question("Q-1", "Which?", answer="this"),),
    )
    assert check(sound) == ()
