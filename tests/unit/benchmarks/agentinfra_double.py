"""Stands where ``agentinfra`` stands: takes its options, leaves a branch and prints the events of a run.

What it does hangs on the words of the idea.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

GOOD = "def mix(first, second):\n    if first < 0:\n        raise ValueError\n    return (first + second) / 2\n"
BRANCH = "agentinfra/run-1"


def main(arguments):
    idea, workspace = Path(option(arguments, "--idea-file")).read_text(), Path(option(arguments, "--workspace"))
    if "cannot begin" in idea:
        print("No model here.", file=sys.stderr)
        return 3
    tell(
        "state_update",
        state="planning",
        idea=idea,
        branch=BRANCH,
        arguments=arguments,
        data=os.environ["AGENTINFRA_DATA_DIR"],
    )
    if "without end" in idea:
        wait_to_be_stopped()
    if "no branch" not in idea:
        deliver(workspace)
    tell("plan_update", tasks=[{"id": "T-1", "files": ["levels.py"]}, {"id": "T-2", "files": ["levels.py"]}])
    tell("agent_state", task="T-1", state="done", attempt=1)
    tell("agent_state", task="T-2", state="blocked", attempt=3)
    for read, written in ((100, 20), (200, 40)):
        tell("usage_update", input_tokens=read, output_tokens=written, seconds=1)
    sys.stdout.write('{"run": "run-1", "se')
    return 1


def option(arguments, name):
    return arguments[arguments.index(name) + 1]


def deliver(workspace):
    (workspace / "levels.py").write_text(GOOD)
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    for command in (("checkout", "-q", "-b", BRANCH), ("add", "."), (*who, "commit", "-qm", "x")):
        subprocess.run(("git", "-C", str(workspace), *command), check=True)
    # A run leaves the user's own branch checked out.
    subprocess.run(("git", "-C", str(workspace), "rm", "-qr", "--cached", "."), check=True)
    (workspace / "levels.py").unlink()
    subprocess.run(("git", "-C", str(workspace), "symbolic-ref", "HEAD", "refs/heads/main"), check=True)


def wait_to_be_stopped():
    child = subprocess.Popen(("sleep", "60"))
    tell("notice", text=f"{os.getpid()} {child.pid}")
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    time.sleep(60)


def tell(kind, **data):
    tell.seq = getattr(tell, "seq", 0) + 1
    print(json.dumps({"run": "run-1", "seq": tell.seq, "time": time.time(), "kind": kind, "data": data}), flush=True)


sys.exit(main(sys.argv[1:]))
