"""Every message of version 1: its method, who sends it, what it carries and what comes back."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from agentinfra_server.protocol.index_messages import (
    IndexGetParams,
    IndexState,
    IndexStatus,
    SearchHit,
    SearchParams,
    SearchResult,
)
from agentinfra_server.protocol.model_messages import (
    LmChunk,
    LmCountParams,
    LmCountResult,
    LmRequestParams,
    LmResult,
    ModelInfo,
    ModelsListParams,
    ModelsListResult,
    Source,
)
from agentinfra_server.protocol.person_messages import (
    PermissionParams,
    PermissionResult,
    QuestionParams,
    QuestionResult,
    SecretParams,
    SecretResult,
    TrustGranted,
)
from agentinfra_server.protocol.run_messages import (
    Action,
    Budget,
    ChangeDecideParams,
    ChangeDecideResult,
    ChangeDecision,
    ChangeShowParams,
    ChangeShowResult,
    Decision,
    Kind,
    Mode,
    PlanDecideParams,
    PlanDecideResult,
    RunControlParams,
    RunControlResult,
    RunEvent,
    RunGetParams,
    RunGetResult,
    RunStartParams,
    RunStartResult,
    RunSummary,
)
from agentinfra_server.protocol.view_messages import (
    FindingItem,
    OpenQuestion,
    RunEnded,
    RunUpdate,
    RunView,
    RunViewParams,
    TaskItem,
)

__all__ = [
    "METHODS",
    "Action",
    "Budget",
    "ChangeDecideParams",
    "ChangeDecideResult",
    "ChangeDecision",
    "ChangeShowParams",
    "ChangeShowResult",
    "Decision",
    "FindingItem",
    "IndexGetParams",
    "IndexState",
    "IndexStatus",
    "Kind",
    "LmChunk",
    "LmCountParams",
    "LmCountResult",
    "LmRequestParams",
    "LmResult",
    "Method",
    "Mode",
    "ModelInfo",
    "ModelsListParams",
    "ModelsListResult",
    "OpenQuestion",
    "PermissionParams",
    "PermissionResult",
    "PlanDecideParams",
    "PlanDecideResult",
    "QuestionParams",
    "QuestionResult",
    "RunControlParams",
    "RunControlResult",
    "RunEnded",
    "RunEvent",
    "RunGetParams",
    "RunGetResult",
    "RunStartParams",
    "RunStartResult",
    "RunSummary",
    "RunUpdate",
    "RunView",
    "RunViewParams",
    "SearchHit",
    "SearchParams",
    "SearchResult",
    "SecretParams",
    "SecretResult",
    "Source",
    "TaskItem",
    "TrustGranted",
]


class Method(NamedTuple):
    """A method of the protocol; ``result`` is None for a notification."""

    name: Annotated[str, "as on the wire"]
    sender: Literal["client", "server"]
    params: type[Any]
    result: type[Any] | None = None


METHODS = (
    Method("agentinfra/run/start", "client", RunStartParams, RunStartResult),
    Method("agentinfra/run/get", "client", RunGetParams, RunGetResult),
    Method("agentinfra/run/view", "client", RunViewParams, RunView),
    Method("agentinfra/run/control", "client", RunControlParams, RunControlResult),
    Method("agentinfra/plan/decide", "client", PlanDecideParams, PlanDecideResult),
    Method("agentinfra/change/decide", "client", ChangeDecideParams, ChangeDecideResult),
    Method("agentinfra/change/show", "client", ChangeShowParams, ChangeShowResult),
    Method("agentinfra/models/list", "client", ModelsListParams, ModelsListResult),
    Method("agentinfra/search", "client", SearchParams, SearchResult),
    Method("agentinfra/index/get", "client", IndexGetParams, IndexStatus),
    Method("agentinfra/question/ask", "server", QuestionParams, QuestionResult),
    Method("agentinfra/permission/request", "server", PermissionParams, PermissionResult),
    Method("agentinfra/secret/get", "server", SecretParams, SecretResult),
    Method("agentinfra/lm/request", "server", LmRequestParams, LmResult),
    Method("agentinfra/lm/countTokens", "server", LmCountParams, LmCountResult),
    Method("agentinfra/lm/chunk", "client", LmChunk),
    Method("agentinfra/trust/granted", "client", TrustGranted),
    Method("agentinfra/run/update", "server", RunUpdate),
    Method("agentinfra/run/ended", "server", RunEnded),
    Method("agentinfra/index/update", "server", IndexStatus),
)
