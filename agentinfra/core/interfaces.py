"""Protocols between the layers: what a lower layer needs from above or beside is handed in as one of these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from agentinfra.core.events import Event, EventDraft
from agentinfra.core.messages import ChatReply, ChatRequest, Modality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """What a model can do, as far as prompts and limits depend on it.

    Attributes:
        prompts: "compact" for small models, "full" otherwise; picks the size of the prompt files.
        context_tokens: Size of the context window, in tokens.
        native_schema: Whether the provider enforces a JSON Schema.
        tools: Whether the model can call tools.
        concurrency: How many requests may be in flight at once.
        inputs: What messages may be made of; other parts are refused before a request is sent.
        outputs: What replies may be made of, besides tool calls.
        thinking_tokens: What it may think beyond a request's ``max_tokens`` where the request says nothing about it.
    """

    prompts: Literal["compact", "full"] = "full"
    context_tokens: int = 128_000
    native_schema: bool = True
    tools: bool = True
    concurrency: int = 8
    inputs: tuple[Modality, ...] = ("text",)
    outputs: tuple[Modality, ...] = ("text",)
    thinking_tokens: int = 0


class ChatModel(Protocol):
    """A language model; the only way in which anything here talks to one."""

    @property
    def name(self) -> str:
        """``provider:model``."""
        ...

    @property
    def profile(self) -> ModelProfile:
        """What it can do."""
        ...

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request; ``request.on_delta`` is told the reply's pieces as they come.

        Raises:
            ModelError: The provider failed; every error of an SDK is mapped to this tree.
        """
        ...

    async def aclose(self) -> None:
        """Release connections and processes; safe to call twice."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors that lie near each other where the texts mean the same."""

    @property
    def name(self) -> str:
        """The key under which its vectors are kept; another one for every model and way of using it."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Embed texts.

        Args:
            texts: What to embed; longer ones than the model reads are cut.
            query: Whether they are questions, which some models embed in another way than what is looked for.

        Returns:
            Vectors of unit length, of shape (number of texts, dimensions).

        Raises:
            ModelError: A provider failed.
        """
        ...

    async def aclose(self) -> None:
        """Release what it holds; safe to call twice."""
        ...


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Bounds of one sandboxed command: wall and CPU in seconds, sizes in bytes."""

    wall_seconds: float = 30.0
    cpu_seconds: int = 30
    memory_bytes: int = 1 << 30
    file_bytes: int = 64 << 20
    processes: int = 64
    open_files: int = 256
    output_bytes: int = 1 << 20


@dataclass(frozen=True, slots=True)
class SandboxCommand:
    """A command to run over a scratch folder.

    Attributes:
        argv: The command; "python" as the first word means the sandbox's own Python with pytest.
        scratch: Host folder that is writable inside, mounted at the same path and made the working directory.
        env: Extra environment; nothing else is inherited.
        read_only: Host folders visible read-only.
        limits: Bounds.
    """

    argv: tuple[str, ...]
    scratch: Path
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    read_only: tuple[Path, ...] = ()
    limits: SandboxLimits = field(default_factory=SandboxLimits)


@dataclass(frozen=True, slots=True)
class SandboxResult:
    """What a sandboxed command did; output is capped (head and tail), ``timed_out`` means the wall limit."""

    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    timed_out: bool = False


class Sandbox(Protocol):
    """The one seam through which generated code runs."""

    @property
    def name(self) -> str:
        """The backend's name, as shown to people: "bubblewrap", "none"."""
        ...

    async def run(self, command: SandboxCommand) -> SandboxResult:
        """Run the command and return when it and all its children are gone.

        Raises:
            SandboxError: The sandbox itself cannot work; the command was not run.
        """
        ...


class EventLog(Protocol):
    """Append-only, numbered events of many runs."""

    def append(self, run: str, draft: EventDraft) -> Event | None:
        """Number and store the event; None when its key is already there."""
        ...

    def read(self, run: str, since: int = 0) -> Sequence[Event]:
        """Events of the run with seq > since, in order."""
        ...

    def runs(self) -> Sequence[str]:
        """Ids of all runs, oldest first."""
        ...


class DurableEngine(Protocol):
    """Runs workflows that survive the death of the process.

    A workflow is an async function; what it does to the world goes through :meth:`step`. After a crash the
    function is called again with the same arguments: steps that finished return their recorded value without
    running, the one that was in flight runs again. The function must therefore be deterministic between steps.
    """

    async def run(self, name: str, workflow_id: str, argument: Any) -> Any:
        """Start the registered workflow (or join it, if it has that id already) and wait for its result."""
        ...

    async def start(self, name: str, workflow_id: str, argument: Any) -> None:
        """Start a child of the current workflow without waiting; idempotent by id."""
        ...

    async def result(self, workflow_id: str) -> Any:
        """Wait for the result of a started workflow; usable inside workflows and outside."""
        ...

    async def step(self, name: str, function: Callable[[], Awaitable[T]]) -> T:
        """Run the function once and record its JSON result; outside a workflow it just runs."""
        ...

    async def cancel(self, workflow_id: str) -> None:
        """Stop the workflow and its children at their next step; they stay resumable."""
        ...
