import asyncio
import threading

import pytest

from agentinfra.models.loop_clients import LoopClients


class Client:
    """Knows the loop that it was made for and the one that closed it."""

    def __init__(self):
        self.thread = threading.get_ident()
        self.closed_on = []

    async def close(self):
        self.closed_on.append(asyncio.get_running_loop())


@pytest.fixture
def made():
    return []


@pytest.fixture
def clients(made):
    def make():
        made.append(Client())
        return made[-1]

    return lambda **options: LoopClients(make, 2, **options)


async def lent(clients):
    async with clients.use() as client:
        return client, asyncio.get_running_loop()


async def test_callers_of_one_loop_share_a_client_made_in_another_thread(clients, made):
    shared = clients()
    lendings = await asyncio.gather(*(lent(shared) for _ in range(5)))
    assert {client for client, _ in lendings} == set(made)
    assert len(made) == 1
    assert made[0].thread != threading.get_ident()


@pytest.mark.parametrize("keep_alive", [True, False])
async def test_closing_closes_once_and_the_next_use_makes_another(clients, made, keep_alive):
    shared = clients(keep_alive=keep_alive)
    await lent(shared)
    await shared.aclose()
    await shared.aclose()
    assert len(made[0].closed_on) == 1
    await lent(shared)
    assert len(made) == 2
    await shared.aclose()


def test_each_loop_has_its_own_client_and_closes_what_keeps_connections(clients, made):
    shared = clients(keep_alive=True)
    loops = [asyncio.run(lent(shared))[1] for _ in range(3)]
    assert [client.closed_on for client in made] == [[loop] for loop in loops]


def test_loops_at_the_same_time_do_not_take_each_others_client(clients, made):
    shared, both = clients(), threading.Barrier(2)

    async def twice():
        first, _ = await lent(shared)
        await asyncio.to_thread(both.wait, 5)
        return first is (await lent(shared))[0]

    same = []
    threads = [threading.Thread(target=lambda: same.append(asyncio.run(twice()))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same == [True, True]
    assert len(made) == 2
