"""A thousand requests at once, two in a hundred of them with a fault."""

import asyncio
import resource
from collections import Counter
from dataclasses import dataclass, field

import pytest

from agentinfra.core.errors import ReplyError
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, Usage, user
from agentinfra.models.amounts import Amount
from agentinfra.models.budget import Budget
from agentinfra.models.budgeted_model import BudgetedModel
from agentinfra.models.openai_chat_model import OpenAIChatModel
from agentinfra.models.retry import RetryingModel
from agentinfra.models.timeouts import Timeouts
from tests.conformance.load_server import RETRY_AFTER, LoadFault, LoadServer, tokens_of, words_of

REQUESTS = 1000
FAULTY = 50  # every fiftieth
NAMES = [f"request {number}" for number in range(REQUESTS)]
KINDS = list(LoadFault)
FAULTS = {name: KINDS[place % len(KINDS)] for place, name in enumerate(NAMES[7::FAULTY])}
CUT_WITHIN = {name for name, fault in FAULTS.items() if fault is LoadFault.CUT_WITHIN}
AGAIN = set(FAULTS) - CUT_WITHIN
# One loop makes a thousand connections and serves them too.
PATIENT = Timeouts(connect=30.0, first=60.0, silence=60.0, whole=60.0)
MOST = 2_000  # tokens of one call, by its estimate
LIMIT = REQUESTS * MOST
DOLLARS = (2.5e-6, 10e-6)  # a token read and written


@pytest.fixture(autouse=True)
def room_for_sockets():
    """Both ends of a thousand connections are in this process; many systems allow 1,024 files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def model_at(url):
    """The model under test, which asks again after a fault."""
    profile = ModelProfile(concurrency=REQUESTS)
    return RetryingModel(
        OpenAIChatModel(
            "openai-chat:gpt-4o", base_url=url, api_key="k", dialect="openai", profile=profile, timeouts=PATIENT
        )
    )


@dataclass
class Caller:
    """One request, and all that became of it."""

    name: str
    heard: list[str] = field(default_factory=list)
    outcome: ChatReply | ReplyError | None = None

    async def ask(self, model):
        async def hear(piece):
            self.heard.append(piece.text)

        try:
            self.outcome = await model.complete(ChatRequest((user(self.name),), on_delta=hear))
        except ReplyError as error:
            self.outcome = error


async def test_a_thousand_requests_at_once_lose_nothing_repeat_nothing_and_cost_what_they_cost():
    # Enough for all of them at once, by their estimates.
    budget, booked = Budget(tokens=LIMIT, usd=100.0), []
    callers = [Caller(name) for name in NAMES]
    async with LoadServer(FAULTS, together=REQUESTS).running() as server, asyncio.timeout(60):
        inner = model_at(server.url)
        model = BudgetedModel(inner, budget, lambda _, reply, __: booked.append(reply.usage))
        await asyncio.gather(*(caller.ask(model) for caller in callers))
        await inner.aclose()

    assert server.most_at_once == REQUESTS
    assert len(FAULTS) == REQUESTS // FAULTY
    # None is lost: each has its own answer, or knows that it broke off.
    broken = {caller.name for caller in callers if isinstance(caller.outcome, ReplyError)}
    assert broken == CUT_WITHIN
    for caller in callers:
        words = words_of(caller.name)
        if caller.name in broken:
            assert caller.heard == words[: len(words) // 2]
            assert not caller.outcome.transient
        else:
            assert (caller.outcome.text, caller.outcome.id) == ("".join(words), caller.name)
            assert caller.heard == words
    # None is asked again after it was answered or had begun to be; the others, once, and not too soon.
    assert server.attempts == Counter({name: 2 if name in AGAIN else 1 for name in NAMES})
    assert server.answered == Counter(set(NAMES) - CUT_WITHIN)
    assert all(server.waits[name] >= RETRY_AFTER for name in NAMES if FAULTS.get(name) is LoadFault.RATE_LIMIT)
    # The account is the server's, to the token.
    total = sum(booked, Usage(cost_usd=0.0))
    assert (total.input_tokens, total.output_tokens) == server.billed
    assert server.billed == tuple(map(sum, zip(*(tokens_of(name) for name in server.answered), strict=True)))
    cost = server.billed[0] * DOLLARS[0] + server.billed[1] * DOLLARS[1]
    assert total.cost_usd == pytest.approx(cost)
    assert budget.usd == pytest.approx(cost)
    assert (budget.requests, budget.tokens) == (REQUESTS, sum(server.billed))
    # What nobody bills, since it broke off, is estimated beside it; nothing is held any longer.
    guessed = budget.estimated.input_tokens
    assert len(CUT_WITHIN) < guessed < len(CUT_WITHIN) * MOST
    left = LIMIT - budget.tokens - guessed
    assert budget.affords(Amount(1, left))
    assert not budget.affords(Amount(1, left + 1))
