"""MicroAgent: writes the code of one task until its tests pass or its tries are used up."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from agentinfra.agents.arbiter import Candidate, Ruling, arbitrate, is_sound, settled
from agentinfra.agents.base_agent import BaseAgent
from agentinfra.agents.briefing import (
    describe_cases,
    describe_failures,
    describe_neighbours,
    describe_repository,
    describe_return,
    describe_symbols,
    requirements_of,
    rules,
)
from agentinfra.agents.existing import describe_today
from agentinfra.agents.project import AgentPath, Project, Verdict, Workbench, project_of
from agentinfra.agents.prompt_files import load
from agentinfra.agents.test_suite import symbol_name
from agentinfra.core.errors import ConfigError, InputError, PatchError
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatRequest
from agentinfra.patching.edited import edited
from agentinfra.patching.reply import code_blocks, python_source
from agentinfra.patching.splice import check_kept, splice
from agentinfra.spec.requirements import Question
from agentinfra.spec.stubs import is_exception, stub

MAX_TOKENS = 900
ENOUGH_SOUND = 3  # so many candidates that pass all grounded examples, and only guesses stand against them
SAMPLES = {"compact": 3, "full": 1}  # candidates a try: a small model's single samples scatter


class MicroAgent(BaseAgent):
    """Turns one task's locked tests into code, in a worktree of its own.

    One turn of its main loop is one candidate: :meth:`decide` asks the model for it, :meth:`act` runs the tests on it
    and submits it when they pass. Override either to write code in another way.
    """

    def __init__(
        self,
        name: str = "MicroAgent",
        model: ChatModel | None = None,
        tools: Sequence[Any] | None = None,
        **seats: Any,
    ) -> None:
        super().__init__(name, model, tools, **seats)
        self.candidates: list[Candidate] = []
        self.path: AgentPath = ("micro",)
        self.turn = 0
        self.refusal = ""
        self.ruling = Ruling(None)
        self._samples = 1
        self._lessons = ""
        self._surroundings = ""

    def for_task(self, project: Project, path: AgentPath) -> Self:
        """A fresh copy of this agent for one task; many run at once."""
        agent = copy.copy(self)
        agent.environment = project
        agent.candidates = []
        agent.conversation = []
        agent.perceived = None
        agent.turn = 0
        agent.refusal = ""
        agent.ruling = Ruling(None)
        agent._lessons = ""
        agent._surroundings = ""
        agent.path = path
        return agent

    @property
    def project(self) -> Project:
        """The project that the agent works in.

        Raises:
            ConfigError: It has none.
        """
        return project_of(self.name, self.environment)

    @property
    def bench(self) -> Workbench:
        """The task's workbench.

        Raises:
            ConfigError: The agent has not perceived one yet.
        """
        if self.perceived is None:
            raise ConfigError("A MicroAgent works at a task's workbench", next_step="Call arun(bench)")
        return self.perceived

    async def aperceive(self, input_data: Workbench) -> Workbench:
        """Take the task's workbench."""
        self.perceived = input_data
        size = self.project.model(self.model, self.path).profile.prompts
        self._samples = SAMPLES[size]
        if size == "full":  # a small model follows what it should only know of
            self._lessons = await self.project.lessons(input_data.task)
            self._surroundings = await self.project.surroundings(input_data.task)
        self.max_steps = input_data.max_attempts * self._samples
        self.turn = 0
        return input_data

    @property
    def attempt(self) -> int:
        """The try at hand, from 1; a try is several candidates where the model is small."""
        return self.turn // self._samples + 1

    async def adecide(self) -> Mapping[str, str]:
        """Ask the model for a candidate: what it wrote, by file."""
        model = self.project.model(self.model, self.path)
        reply = await model.complete(await self._request(model.profile.prompts))
        return {self.bench.task.files[0]: reply.text}

    async def aact(self) -> Verdict | None:
        """Run the tests on the candidate and submit it if it passes them all; None to go on."""
        decided: Mapping[str, str] | str = self.decision
        candidate = await self._try(
            decided if isinstance(decided, Mapping) else {self.bench.task.files[0]: str(decided)}
        )
        self.turn += 1
        if candidate is not None and candidate.report.all_passed:
            verdict = await self._submit(candidate)
            if verdict is not None:
                return verdict
        sound = [other for other in self.candidates if is_sound(other, self.bench.suite)]
        if len(sound) < ENOUGH_SOUND:
            return None
        ruling = arbitrate(self.bench.suite, self.candidates)
        return await self._deliver(ruling) if ruling.winner else None

    async def settle(self) -> Verdict | None:
        """Have code against test judged by the candidates so far; None where the code is at fault.

        Where the specification is, a person is asked, once; unattended, the question goes with the verdict.
        """
        if not self.candidates:
            return None
        self.ruling = arbitrate(self.bench.suite, self.candidates)
        if self.ruling.question is None:
            return await self._deliver(self.ruling)
        await self._tell(self.ruling)
        return await self._clarify(self.ruling.case, self.ruling.question)

    async def _clarify(self, case: str, question: Question) -> Verdict | None:
        answer = await self._answer(replace(question, id=f"{self.bench.task.id}-{case}"))
        suite = settled(self.bench.suite, case, answer)
        if suite is None:
            told = f"; {answer!r} is no value that a test can hold" if answer else ""
            self.refusal = f"The specification leaves open: {question.text} {question.why}{told}"
            await self.project.emit(
                "notice", {"level": "warning", "text": f"{self.bench.task.id}: {self.refusal}"}, self.path
            )
            return Verdict(False, reason=self.refusal)
        lock = await self.bench.relock(suite, f"{question.text} {answer}, a person says")
        if not lock.ok:
            return None
        self.candidates = [await self._again(candidate) for candidate in self.candidates]
        self.ruling = arbitrate(self.bench.suite, self.candidates)
        return await self._deliver(self.ruling)

    async def _answer(self, question: Question) -> str:
        """What the person says; "" where nobody can be asked."""
        if not self.project.attended:
            return ""
        try:
            [answered] = await self.project.ask([question])
        except InputError:  # a run that was begun at a terminal may be resumed without one
            return ""
        return answered.answer or ""

    async def _again(self, candidate: Candidate) -> Candidate:
        report = await self.bench.try_files(candidate.files, attempt=candidate.attempt, agent=self.path)
        return replace(candidate, report=report)

    async def _tell(self, ruling: Ruling) -> None:
        data = {
            "task": self.bench.task.id,
            "fault": ruling.fault,
            "reason": ruling.reason,
            "candidates": len(self.candidates),
            "sound": ruling.sound,
            "dropped": list(ruling.drop),
            "amended": dict(ruling.amend),
        }
        asked = {"question": ruling.question.text} if ruling.question else {}
        await self.project.emit("ruling", {**data, **asked}, self.path)

    async def _deliver(self, ruling: Ruling) -> Verdict | None:
        """Put the ruling on record, and carry it out where there is a winner."""
        await self._tell(ruling)
        if ruling.winner is None:
            return None
        lock = await self.bench.relock(self.bench.suite.without(ruling.drop).amended(ruling.amend), ruling.reason)
        if not lock.ok:
            return None
        return await self._submit(ruling.winner)

    async def _submit(self, candidate: Candidate) -> Verdict | None:
        """Merge the candidate; None, and the reason in :attr:`refusal`, where the engine refuses it.

        What fails only beside what was merged meanwhile is done again on top of that, by another call.
        """
        verdict = await self.bench.submit(candidate.files)
        self.refusal = verdict.reason
        return verdict if verdict.done or verdict.evidence else None

    async def _request(self, size: str) -> ChatRequest:
        bench = self.bench
        task, spec = bench.task, bench.spec
        requirements = requirements_of(task, spec)
        current = await bench.read(task.files[0])
        guidance = self.project.guidance
        # A full prompt shows the whole file; what we wrote ourselves is written anew from its rules.
        today = describe_today(current, task.symbols) if guidance.conventions and size == "compact" else ""
        told = (describe_neighbours(task, spec), self._lessons, today, guidance.block(size, task.files[0]))
        # Feedback on a wrong candidate anchors a model to it: every other sample starts afresh.
        base = self._best() if self.turn % 2 else None
        messages = load("code", size).render(
            rules=rules(requirements),
            context="\n".join(one for one in told if one),
            repository=describe_repository(self._surroundings),
            what=describe_symbols(task.symbols),
            file=task.files[0],
            current=current,
            examples=describe_cases(
                [case for case in bench.suite.cases if case.example.ground.is_firm] or bench.suite.cases
            ),
            feedback=describe_return(bench.evidence) + (describe_failures(base, bench.suite) if base else ""),
        )
        return ChatRequest(
            messages,
            purpose=f"code {task.id}",
            temperature=0.7 if self.turn else 0.0,
            max_tokens=MAX_TOKENS if size == "compact" else MAX_TOKENS * 4,
            seed=self.turn,
        )

    def _best(self) -> Candidate | None:
        """The latest of the candidates that pass most."""
        return max(self.candidates, key=lambda candidate: (candidate.report.passed, candidate.attempt), default=None)

    async def _try(self, written: Mapping[str, str]) -> Candidate | None:
        try:
            parts = {path: await self._new_text(path, reply) for path, reply in written.items()}
            files = {path: whole for path, (whole, _) in parts.items()}
            report = await self.bench.try_files(files, attempt=self.attempt, agent=self.path)
        except PatchError as error:
            await self.project.emit(
                "notice",
                {"level": "info", "text": f"{self.bench.task.id} try {self.attempt}: {error}"},
                self.path,
            )
            return None
        own = {path: part for path, (_, part) in parts.items()}
        candidate = Candidate(files, own, report, self.attempt, len(self.candidates))
        self.candidates.append(candidate)
        return candidate

    async def _new_text(self, path: str, reply: str) -> tuple[str, str]:
        """The whole file after the reply, and the reply's own part of it."""
        current = await self.bench.read(path)
        changed = edited(reply, path, current)
        if changed is not None:
            if path.endswith(".py"):
                check_kept(current, changed)
            return changed, changed
        if not path.endswith(".py"):
            blocks = code_blocks(reply)
            if not blocks:
                raise PatchError("The reply holds no code block", next_step="Reply with one code block")
            return blocks[0].text, blocks[0].text
        names = tuple(dict.fromkeys(symbol_name(signature) for signature in self.bench.task.symbols))
        # Exceptions have no body to get wrong, and small models forget them: those that a reply leaves out are given.
        plain = [symbol for symbol in self.bench.task.symbols if is_exception(symbol)]
        given = [symbol_name(symbol) for symbol in plain]
        source = python_source(reply, [name for name in names if name not in given])
        if not names:
            return source, source
        start = splice(current, stub(plain), given) if given else current
        own = [name for name in names if name not in given or f"class {name}" in source]
        return splice(start, source, own).rstrip("\n") + "\n", source
