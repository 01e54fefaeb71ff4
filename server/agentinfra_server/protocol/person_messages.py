"""What the person is asked."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from agentinfra_server.protocol.message import message


@message
class QuestionParams:
    """A question to the person; ``kind`` "approve" is about the specification at ``uri``."""

    run_id: str
    question_id: str
    kind: Literal["question", "approve"]
    message: str
    why: str = ""
    options: list[str] = field(default_factory=list[str])
    recommended: str = ""
    uri: str | None = None
    spec_sha: str | None = None


@message
class QuestionResult:
    """The answer; ``cancel`` leaves the question open."""

    action: Literal["accept", "decline", "cancel"]
    content: str = ""


@message
class PermissionParams:
    """Exactly what an agent wants to do; silence denies."""

    run_id: str
    title: str
    detail: str


@message
class PermissionResult:
    """Whether it may."""

    outcome: Literal["allow", "deny"]


@message
class SecretParams:
    """The name of a secret, such as ``OPENAI_API_KEY``."""

    name: str


@message
class SecretResult:
    """Its value, kept in memory only; null where there is none."""

    value: str | None = None


@message
class TrustGranted:
    """The person trusts the workspace now."""
