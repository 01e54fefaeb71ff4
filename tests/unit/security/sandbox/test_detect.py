import sys
import textwrap

import pytest

from agentinfra.core.errors import SandboxError
from agentinfra.core.interfaces import SandboxResult
from agentinfra.security.sandbox.bubblewrap import Bubblewrap
from agentinfra.security.sandbox.detect import choose_sandbox, probe
from agentinfra.security.sandbox.unsandboxed import Unsandboxed

# Claims to be bubblewrap, reports success, and isolates nothing.
LYING = f"""#!{sys.executable} -I
import os, sys
policy = int(sys.argv[sys.argv.index("--args") + 1])
options = os.read(policy, 1 << 20).decode().split("\\0")
os.write(int(options[options.index("--json-status-fd") + 1]), b'{{"exit-code": 0}}')
command = sys.argv[sys.argv.index("--", 3) + 1 :]
os.execvp(command[0], command)
"""


@pytest.fixture
def lying(tmp_path):
    program = tmp_path / "bwrap"
    program.write_text(textwrap.dedent(LYING))
    program.chmod(0o755)
    return program


class Answering:
    """A sandbox whose every command prints the same."""

    name = "answering"

    def __init__(self, stdout):
        self.stdout = stdout

    async def run(self, command):
        return SandboxResult(0, self.stdout, "", 0.0)


async def test_bubblewrap_is_chosen_where_it_holds():
    assert isinstance(await choose_sandbox(), Bubblewrap)


async def test_the_sandbox_is_chosen_even_where_none_would_be_accepted():
    assert isinstance(await choose_sandbox(allow_unsandboxed=True), Bubblewrap)


async def test_without_bubblewrap_the_error_names_the_package_and_the_way_around(tmp_path):
    with pytest.raises(SandboxError) as caught:
        await choose_sandbox(bwrap=tmp_path / "bwrap")
    assert "bubblewrap" in caught.value.next_step and "--unsandboxed" in caught.value.next_step
    assert "There is no" in caught.value.why


async def test_without_bubblewrap_a_person_may_accept_the_danger(tmp_path):
    sandbox = await choose_sandbox(allow_unsandboxed=True, bwrap=tmp_path / "bwrap")
    assert sandbox.name == "none"


async def test_a_sandbox_that_lies_is_refused(lying):
    with pytest.raises(SandboxError):
        await choose_sandbox(bwrap=lying)


async def test_the_probe_names_each_way_out():
    with pytest.raises(SandboxError, match="does not hold") as caught:
        await probe(Unsandboxed())
    assert caught.value.why == "Code inside could read another folder and write another folder and reach the network"


async def test_the_probe_accepts_what_holds():
    await probe(Bubblewrap())


@pytest.mark.parametrize("stdout", ["", "nonsense", "[1, 2]", "7"])
async def test_an_answer_that_is_none_is_refused(stdout):
    with pytest.raises(SandboxError, match="Python does not run"):
        await probe(Answering(stdout))


async def test_a_sandbox_in_which_nothing_can_be_done_is_refused():
    with pytest.raises(SandboxError, match="too narrow") as caught:
        await probe(Answering('{"use pytest": false, "read another folder": false}'))
    assert "use pytest and write its scratch folder" in caught.value.why
