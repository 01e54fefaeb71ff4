"""The guide on tests of one's own agents: its code is written to files and run as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

GUIDE = Path(__file__).parents[1] / "docs" / "how-to" / "test-your-agents.md"
FILES = re.compile(r"```python\n# (?P<name>\w+\.py)\n(?P<text>.*?)```", re.DOTALL)


def pytest_in(folder: Path, *options: str) -> str:
    settings = ("-o", "asyncio_mode=auto", "-p", "no:cacheprovider", "-q")
    env = {**os.environ, "AGENTINFRA_REAL_REQUESTS": "forbid"}
    command = (sys.executable, "-m", "pytest", *settings, *options)
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def test_its_code_runs_as_it_stands(tmp_path: Path) -> None:
    found = {match["name"]: match["text"] for match in FILES.finditer(GUIDE.read_text("utf-8"))}
    assert set(found) == {"conftest.py", "test_greeter.py", "test_recorded.py"}
    for name, text in found.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert "1 failed, 2 passed" in pytest_in(tmp_path)  # nothing is recorded yet
    assert "3 passed" in pytest_in(tmp_path, "--record-models")
    assert (tmp_path / "recordings" / "test_recorded" / "test_it_greets.jsonl").is_file()
    assert "3 passed" in pytest_in(tmp_path)
