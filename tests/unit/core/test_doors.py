"""Doors between synchronous and asynchronous code, from scripts, threads and loops."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from agentinfra.core.doors import door, in_thread, is_overridden, wait
from agentinfra.core.errors import InputError


async def double(number):
    await asyncio.sleep(0)
    return number * 2


async def current_loop():
    return asyncio.get_running_loop()


async def leave():
    sys.exit(3)


def sync_double(number):
    return wait(double(number), "await double(number)")


def test_from_a_script_a_door_returns_the_result():
    assert sync_double(4) == 8


def test_all_doors_of_a_script_lead_to_one_loop():
    assert wait(current_loop(), "") is wait(current_loop(), "")


def test_an_error_comes_out_as_it_was_raised():
    async def fail():
        raise InputError("no")

    with pytest.raises(InputError, match="no"):
        wait(fail(), "")


def test_leaving_the_program_inside_a_door_leaves_it_outside_and_the_loop_lives_on():
    with pytest.raises(SystemExit) as left:
        wait(leave(), "")
    assert left.value.code == 3
    assert sync_double(1) == 2


def test_a_persons_method_that_leaves_the_program_leaves_it():
    with pytest.raises(SystemExit):
        wait(in_thread(sys.exit, 4), "")
    assert sync_double(2) == 4


async def test_inside_a_loop_a_door_names_the_asynchronous_call():
    with pytest.raises(InputError, match=r"inside a running event loop.*Call `await double\(number\)`"):
        sync_double(1)


async def test_a_thread_comes_back_to_the_loop_that_started_it():
    here = asyncio.get_running_loop()
    assert await in_thread(lambda: wait(current_loop(), "")) is here
    assert threading.current_thread() is threading.main_thread()


async def test_doors_nest_deeper_than_any_pool_has_threads():
    def down(depth):
        async def below():
            return await in_thread(down, depth - 1) if depth else 0

        return 1 + wait(below(), "")

    pairs = await asyncio.wait_for(asyncio.gather(*(in_thread(down, 20) for _ in range(5))), 20)
    assert pairs == [21] * 5


async def test_the_error_of_a_persons_method_comes_out():
    def fail():
        raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        await in_thread(fail)


async def test_a_stray_stop_iteration_is_told_instead_of_waited_for():
    def first():
        return next(iter(()))

    with pytest.raises(RuntimeError, match="first raised StopIteration"):
        await asyncio.wait_for(in_thread(first), 5)


async def test_cancelling_the_caller_cancels_what_the_thread_waits_for_and_waits_for_its_cleanup():
    told = []
    started = asyncio.Event()

    async def slow():
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
            told.append("cleaned up")
            raise

    def method():
        try:
            wait(slow(), "")
        except Exception:
            told.append("taken for a failure")

    task = asyncio.create_task(in_thread(method))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == ["cleaned up"]


async def test_a_thread_whose_caller_is_gone_finds_its_next_door_closed():
    go_on, told = threading.Event(), []

    async def more():
        told.append("ran")

    def stubborn():
        go_on.wait(5)
        try:
            wait(more(), "")
        except asyncio.CancelledError:
            told.append("closed")

    task = asyncio.create_task(in_thread(stubborn))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    for _ in range(500):
        if told:
            break
        await asyncio.sleep(0.01)
    assert told == ["closed"]


def test_a_thread_that_outlives_its_loop_ends_in_silence():
    release, ended = threading.Event(), threading.Event()

    def late():
        release.wait(5)
        ended.set()

    async def leave_it():
        task = asyncio.create_task(in_thread(late))
        await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(leave_it())
    release.set()
    assert ended.wait(5)
    time.sleep(0.05)  # an exception in the thread would be a warning, and warnings are errors


SCRIPT = """
import asyncio, sys
from agentinfra.core.doors import in_thread, wait

async def work():
    print("started", flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.05)
        print("cleaned up", flush=True)

def method():
    wait(work(), "")

wait(in_thread(method), "")
"""


def test_ctrl_c_in_a_script_ends_the_work_and_lets_it_clean_up():
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as script:
        assert script.stdout.readline() == "started\n"
        script.send_signal(2)
        out, err = script.communicate(timeout=20)
    assert out == "cleaned up\n"
    assert "KeyboardInterrupt" in err and "never awaited" not in err


def test_a_door_that_a_subclass_or_an_instance_replaced_is_told_apart():
    class Owner:
        @door
        def run(self): ...

    class Heir(Owner):
        def run(self): ...

    replaced = Owner()
    replaced.run = lambda: None
    assert [is_overridden(one, "run") for one in (Owner(), Heir(), replaced)] == [False, True, True]
