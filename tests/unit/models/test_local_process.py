import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.models import local_process
from agentinfra.models.local_process import LocalProcess

ENGINE = Path(__file__).with_name("tiny_engine.py")


@pytest.fixture(autouse=True)
def _own_logs(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def running(program):
    return LocalProcess(Path("/m/tiny.gguf"), command=(sys.executable, "-c", program))


def test_it_starts_once_and_stops_for_good():
    process = LocalProcess(Path("/m/tiny.gguf"), command=(sys.executable, str(ENGINE)))
    assert process.has_died()
    address = process.ensure_started()
    assert address.url.startswith("http://127.0.0.1:")
    assert process.ensure_started() == address
    assert not process.has_died(0.0)
    process.stop()
    process.stop()
    assert process.has_died()


def test_what_the_engine_says_goes_into_a_private_log(capfd):
    process = running("import os, sys; os.write(2, b'noise'); print('{\"error\": \"too big\"}')")
    with pytest.raises(ModelUnavailable, match="too big") as caught:
        process.ensure_started()
    assert process.log_path.read_text() == "noise"
    assert process.log_path.stat().st_mode & 0o777 == 0o600
    assert str(process.log_path) in caught.value.next_step
    assert capfd.readouterr() == ("", "")


def test_a_missing_engine_says_how_to_install_it():
    process = running('print(\'{"error": "No module named xllamacpp"}\')')
    with pytest.raises(ModelUnavailable, match=r'pip install "agentinfra\[local\]"'):
        process.ensure_started()


@pytest.mark.parametrize("program", ["pass", "print('hello')"])
def test_a_child_that_says_nothing_sensible_is_an_error(program):
    with pytest.raises(ModelUnavailable, match="did not start"):
        running(program).ensure_started()


def test_a_child_that_is_not_ready_in_time_is_ended(monkeypatch):
    monkeypatch.setattr(local_process, "START_SECONDS", 0.2)
    process = running("import time; time.sleep(60)")
    with pytest.raises(ModelUnavailable, match="not ready in time"):
        process.ensure_started()
    assert process.has_died(0.0)


def test_a_child_can_be_stopped_while_it_starts():
    process = running("import time; time.sleep(60)")
    with ThreadPoolExecutor() as pool:
        starting = pool.submit(process.ensure_started)
        while process.has_died(0.0):
            time.sleep(0.01)
        process.stop()
        with pytest.raises(ModelUnavailable, match="did not start"):
            starting.result(10)


def test_a_child_that_ignores_the_wish_to_end_is_killed(monkeypatch):
    monkeypatch.setattr(local_process, "STOP_SECONDS", 0.2)
    process = running(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        'print(\'{"url": "u"}\', flush=True); time.sleep(60)'
    )
    process.ensure_started()
    process.stop()
    assert process.has_died(0.0)


def test_the_child_does_not_outlive_a_killed_parent():
    program = f"""
import sys, time
from pathlib import Path
from agentinfra.models.local_process import LocalProcess
process = LocalProcess(Path("/m/tiny.gguf"), command=(sys.executable, {str(ENGINE)!r}))
process.ensure_started()
print(process._child.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(child)


def _runs(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_the_real_server_reports_a_file_that_is_no_model(tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"no model")
    with pytest.raises(ModelUnavailable, match=r"bad\.gguf did not start"):
        LocalProcess(tmp_path / "bad.gguf").ensure_started()


def test_the_real_server_takes_nothing_from_the_working_folder(tmp_path):
    (tmp_path / "argparse.py").write_text("raise SystemExit('a stranger ran')")
    (tmp_path / "bad.gguf").write_bytes(b"no model")
    command = local_process._server_command(tmp_path / "bad.gguf", 512)
    done = subprocess.run(command, input="key\n", cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "stranger" not in done.stdout + done.stderr
    assert command[command.index("--threads") + 1] == str(max(1, (os.cpu_count() or 2) - 1))
    assert not done.stdout or "error" in json.loads(done.stdout)
