"""What agents ask models for, as types: the contract of every prompt, bounded and validated."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Short = Annotated[str, Field(max_length=120)]
Line = Annotated[str, Field(max_length=300)]
Paragraph = Annotated[str, Field(max_length=2000)]


class Reply(BaseModel):
    """Base of all reply types: nothing beyond the contract is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlannedRequirement(Reply):
    """One thing to build. Small models leave the optional fields out."""

    file: Short
    signature: Short
    title: Short
    rules: Paragraph
    methods: Annotated[list[Short], Field(max_length=20)] = []
    area: Literal["backend", "frontend"] = "backend"
    uses: Annotated[list[Short], Field(max_length=10)] = []


class Plan(Reply):
    """The planner's reply."""

    title: Short
    goal: Line
    requirements: Annotated[list[PlannedRequirement], Field(min_length=1, max_length=24)]
    out_of_scope: Annotated[list[Line], Field(max_length=8)] = []


class OpenQuestion(Reply):
    """A decision that the request leaves open."""

    question: Line
    why: Line
    options: Annotated[list[Short], Field(min_length=1, max_length=4)]
    recommended: Short


class OpenQuestions(Reply):
    """Everything that is left open; five at most reach the person."""

    questions: Annotated[list[OpenQuestion], Field(max_length=5)]


class ProposedCase(Reply):
    """A call and what it must do."""

    setup: Annotated[list[Line], Field(max_length=8)] = []
    call: Line
    expect: Literal["returns", "raises", "prints"]
    value: Line
    formula: Line = ""


class ProposedCases(Reply):
    """A bounded list of test cases; models that may write without end are cut here."""

    cases: Annotated[list[ProposedCase], Field(max_length=8)]
