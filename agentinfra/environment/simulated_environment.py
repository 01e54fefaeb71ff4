"""SimulatedEnvironment: a world in memory that does the same every time; for tests and for trying agents out."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from agentinfra.core.errors import InputError
from agentinfra.environment.base_environment import Action, BaseEnvironment, Observation, WriteFiles


class SimulatedEnvironment(BaseEnvironment):
    """Files in memory, and commands that answer from a script.

    Args:
        files: The files at the start, text by path.
        observations: What the commands answer, in order: a text stands for success.
        failure_rate: Share of commands (0 to 1) that fail by chance before they reach the script.
        seed: Decides which do; :meth:`reset` starts the same chances again.
    """

    def __init__(
        self,
        files: Mapping[str, str] | None = None,
        observations: Sequence[Observation | str] = (),
        *,
        failure_rate: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.files: dict[str, str] = {}
        self._start = dict(files or {})
        self._script = [Observation(one) if isinstance(one, str) else one for one in observations]
        self._failure_rate = failure_rate
        self._seed = seed
        self.reset()

    def reset(self) -> Observation:
        """Restore the files, the script and the chances of the start."""
        self.files = dict(self._start)
        self._answers = iter(self._script)
        self._chance = random.Random(self._seed)  # noqa: S311  # repeatable on purpose
        return self.observe()

    def step(self, action: Action) -> Observation:
        """Write the files, or answer the command with the next line of the script.

        Raises:
            InputError: The script has no more lines.
        """
        if isinstance(action, WriteFiles):
            self.files |= action.files
            return self.observe()
        if self._chance.random() < self._failure_rate:
            return self._seen(f"{action.argv[0]} failed", ok=False)
        answer = next(self._answers, None)
        if answer is None:
            raise InputError(
                f"No observation is left for {' '.join(action.argv)}",
                why=f"The script has {len(self._script)}",
                next_step="Give SimulatedEnvironment one for every command",
            )
        return self._seen(answer.text, ok=answer.ok)

    def observe(self) -> Observation:
        """The files."""
        return self._seen("", ok=True)

    def _seen(self, text: str, *, ok: bool) -> Observation:
        return Observation(text, tuple(sorted(self.files)), ok)
