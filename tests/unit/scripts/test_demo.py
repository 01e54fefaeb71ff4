"""``make demo`` through the real Makefile, with a command in the place of agentinfra that leaves what a run leaves."""

import json
import subprocess
import sys

import pytest

AGENTINFRA = f"""#!{sys.executable}
import json, os, pathlib, subprocess, sys

arguments = sys.argv[1:]
record = dict(arguments=arguments)
if arguments[0] == "plan":
    workspace = arguments[arguments.index("--workspace") + 1]
    record["idea"] = pathlib.Path(arguments[arguments.index("--idea-file") + 1]).read_text()
    if "no branch" not in record["idea"]:
        commit = "git -c user.name=x -c user.email=x@example.org commit -q --allow-empty -m result".split()
        subprocess.run(["git", "checkout", "-q", "-b", "agentinfra/run-1"], cwd=workspace, check=True)
        subprocess.run(commit, cwd=workspace, check=True)
        subprocess.run(["git", "symbolic-ref", "HEAD", "refs/heads/main"], cwd=workspace, check=True)
with open("calls.jsonl", "a") as calls:
    calls.write(json.dumps(record) + "\\n")
sys.exit(dict(blocked=1, stopped=130).get(record.get("idea", "").split(" ")[0], 0))
"""


@pytest.fixture
def demo(checkout):
    checkout.write("scripts/setup.py", "")
    checkout.write("examples/demo_idea.md", "the example's idea")
    checkout.write(".venv/bin/agentinfra", AGENTINFRA, executable=True)
    checkout.write(".venv/bin/python", f'#!/bin/sh\nexec {sys.executable} "$@"\n', executable=True)
    return checkout


def calls(checkout):
    return [json.loads(line) for line in (checkout.root / "calls.jsonl").read_text().splitlines()]


def branch_of(folder):
    command = ["git", "-C", str(folder), "branch", "--show-current"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_example_ends_on_the_branch_of_the_run(demo):
    code, output = demo.run("make", "demo")
    pull, plan = calls(demo)
    assert code == 0
    assert pull["arguments"] == ["models", "pull", "qwen2.5-coder-1.5b"]
    assert plan["idea"] == "the example's idea"
    assert plan["arguments"][3:] == [
        "--workspace",
        str(demo.root / "demo"),
        "--model",
        "local:qwen2.5-coder-1.5b",
        "--yes",
    ]
    assert branch_of(demo.root / "demo") == "agentinfra/run-1"
    assert "on branch agentinfra/run-1" in output


@pytest.mark.parametrize("way", ["argument", "environment"])
def test_any_text_arrives_unchanged(demo, way):
    idea = '--help it\'s "quoted" $HOME $(touch pwned) `touch pwned` $5 # \\ ; &\nsecond line: ünïcode 日本語 %s'
    if way == "argument":
        code, output = demo.run("make", "demo", f"IDEA={idea}", "OUT=a $5 folder; touch pwned")
    else:
        code, output = demo.run("make", "demo", IDEA=idea, OUT="a $5 folder; touch pwned")
    assert code == 0, output
    assert calls(demo)[1]["idea"] == idea
    assert branch_of(demo.root / "a $5 folder; touch pwned") == "agentinfra/run-1"
    assert not (demo.root / "pwned").exists()


def test_a_second_run_takes_the_next_free_folder(demo):
    (demo.root / "result").mkdir()
    (demo.root / "result" / "mine.txt").write_text("keep")
    folders = []
    for _ in range(2):
        demo.run("make", "demo", "OUT=result")
        folders.append(calls(demo)[-1]["arguments"][4])
    assert folders == [str(demo.root / "result-2"), str(demo.root / "result-3")]
    assert [path.name for path in (demo.root / "result").iterdir()] == ["mine.txt"]


def test_an_empty_repository_is_used_as_it_is(demo):
    subprocess.run(["git", "init", "-q", str(demo.root / "mine")], check=True)
    assert demo.run("make", "demo", "OUT=mine")[0] == 0
    assert branch_of(demo.root / "mine") == "agentinfra/run-1"


def test_the_result_is_a_repository_of_its_own_inside_another_one(demo):
    subprocess.run(["git", "init", "-q", str(demo.root)], check=True)
    demo.run("make", "demo")
    assert branch_of(demo.root) != "agentinfra/run-1"
    assert branch_of(demo.root / "demo") == "agentinfra/run-1"


def test_another_provider_needs_no_model_file(demo):
    code, _ = demo.run("make", "demo", "MODEL=openai:gpt-x")
    assert code == 0
    assert [call["arguments"][0] for call in calls(demo)] == ["plan"]


def test_a_run_that_is_not_all_done_still_shows_its_branch_and_fails(demo):
    code, output = demo.run("make", "demo", "IDEA=blocked tasks")
    assert code != 0
    assert "on branch agentinfra/run-1" in output


def test_a_run_that_is_not_over_leaves_its_branch_free_and_says_how_to_go_on(demo):
    code, output = demo.run("make", "demo", "IDEA=stopped halfway", "OUT=half")
    assert code != 0
    assert "resume --workspace half --yes" in output
    assert branch_of(demo.root / "half") == "main"


def test_a_run_without_a_branch_says_so(demo):
    _, output = demo.run("make", "demo", "IDEA=no branch")
    assert "The run left no branch" in output
