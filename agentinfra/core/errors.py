"""The one exception tree.

::

    AgentInfraError
    ├── InputError            what the caller passed in cannot be used
    ├── ConfigError           a settings file or environment variable is wrong
    ├── ModelError            a model call failed
    │   ├── ModelUnavailable  no key, no network, no model file: nothing was answered
    │   │   ├── NoPermission  the key, or the person at the editor, does not allow it
    │   │   ├── ModelNotFound there is no such model
    │   │   ├── RateLimited   too many requests now; may pass by itself
    │   │   └── QuotaExceeded the account or the editor's quota is used up; does not pass by itself
    │   ├── NotSupported      the model cannot take or give what was asked for; nothing was sent
    │   ├── ContextOverflow   the conversation does not fit into the model's context window
    │   ├── ReplyError        the model answered, but not with what was asked for
    │   └── RecordingMismatch a replay was asked something that is not on its record
    ├── BudgetExceeded        a limit of the run is reached; what is proven stays
    ├── SandboxError          generated code cannot be run safely here
    ├── PatchError            a change was refused; the tree is untouched
    │   └── NotAPatch         there is no change in the text at all
    ├── ProofError            a test run proves nothing (broken, forged, cut)
    ├── SpecError             spec.md or tasks.md cannot be read
    ├── WorkspaceError        the repository is not in a state to work on
    ├── StoreError            the memory's file cannot be opened or written
    │   └── DamagedStore      it was damaged; it has been moved aside and is made again
    ├── EngineError           the durable engine refused or lost a workflow
    └── RunStopped            a person stopped the run; it can be resumed
"""

from __future__ import annotations


class AgentInfraError(Exception):
    """Root of every error that AgentInfra raises on purpose.

    Args:
        what: What happened, in one sentence.
        why: The cause, as far as it is known.
        next_step: What the person can do about it.
    """

    def __init__(self, what: str, *, why: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next_step = next_step

    def __str__(self) -> str:
        parts = [self.what, self.why, self.next_step]
        return " ".join(part.rstrip(".") + "." for part in parts if part)

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments are lost by Exception's own pickling, and durable engines store errors pickled.
        return (_rebuild, (type(self), self.what, self.why, self.next_step), self.__dict__)


def _rebuild(kind: type[AgentInfraError], what: str, why: str, next_step: str) -> AgentInfraError:
    return kind(what, why=why, next_step=next_step)


class InputError(AgentInfraError):
    """What the caller passed in cannot be used."""


class ConfigError(AgentInfraError):
    """A settings file or an environment variable is wrong."""


class ModelError(AgentInfraError):
    """A model call failed.

    Args:
        what: What happened, in one sentence.
        why: The cause, as far as it is known.
        next_step: What the person can do about it.
        transient: Whether the very same request may well succeed a little later.
        retry_after: Seconds after which the provider wants to be asked again, where it said so.
    """

    def __init__(
        self,
        what: str,
        *,
        why: str = "",
        next_step: str = "",
        transient: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, why=why, next_step=next_step)
        self.transient = transient
        self.retry_after = retry_after


class ModelUnavailable(ModelError):
    """The model cannot be reached at all: no key, no network, no model file."""


class NoPermission(ModelUnavailable):
    """The key, or the person at the editor, does not allow it."""


class ModelNotFound(ModelUnavailable):
    """There is no such model."""


class RateLimited(ModelUnavailable):
    """Too many requests now; it may pass by itself."""


class QuotaExceeded(ModelUnavailable):
    """The account's or the editor's quota is used up; it does not pass by itself."""


class NotSupported(ModelError):
    """The model cannot take or give what was asked for; nothing was sent."""


class ContextOverflow(ModelError):
    """The conversation does not fit into the model's context window; it has to be shortened, nothing was cut."""


class ReplyError(ModelError):
    """The model answered, but not with what was asked for."""


class RecordingMismatch(ModelError):
    """A replay was asked something that is not on its record."""


class BudgetExceeded(AgentInfraError):
    """A limit of the run (minutes, money, requests) is reached."""


class SandboxError(AgentInfraError):
    """Generated code cannot be run safely here."""


class PatchError(AgentInfraError):
    """A change was refused; the tree is untouched."""


class NotAPatch(PatchError):
    """There is no change in the text at all."""


class ProofError(AgentInfraError):
    """A test run proves nothing: it is broken, forged or cut."""


class SpecError(AgentInfraError):
    """spec.md or tasks.md cannot be read."""


class WorkspaceError(AgentInfraError):
    """The repository or folder is not in a state to work on."""


class StoreError(AgentInfraError):
    """The memory's file cannot be opened, read or written."""


class DamagedStore(StoreError):
    """The memory's file was damaged or replaced: what was asked may be asked again, of the file that is there now."""


class EngineError(AgentInfraError):
    """The durable engine refused or lost a workflow."""


class RunStopped(AgentInfraError):
    """A person stopped the run; it can be resumed."""
