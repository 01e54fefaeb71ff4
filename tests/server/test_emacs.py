"""Debian's Emacs with its eglot, with the very snippet of the guide, drives a whole run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.server.test_neovim import GUIDE
from tests.server.test_runs import DEMO, IDEA

# What a person does by hand: choose the first answer, look from time to time, accept.
PERSON = """
(defvar asked nil)
(defun completing-read (prompt choices &rest _)
  (push prompt asked)
  (car (if (consp (car choices)) (car choices) choices)))
(defun wait-for (state)
  (let ((until (time-add nil 120)) last)
    (while (and (not (equal last state)) (time-less-p nil until))
      (accept-process-output nil 0.2)
      (let ((runs (agentinfra "status")))
        (setq last (and (> (length runs) 0) (plist-get (aref runs (1- (length runs))) :state)))))
    (equal last state)))
(defun refusal (function) (condition-case failure (funcall function) (error (error-message-string failure))))
(setq eglot-sync-connect 30 eglot-connect-timeout 30)
(find-file "idea.md")
(apply #'eglot--connect (eglot--guess-contact))
(let* ((given (json-parse-string (getenv "START") :object-type 'plist))
       (begun (apply #'agentinfra "plan" given))
       (done (wait-for "done"))
       (until (time-add nil 20))
       (accepted (refusal (lambda () (agentinfra "accept")))))
  (while (and (stringp accepted) (time-less-p nil until))
    (accept-process-output nil 0.2)
    (setq accepted (refusal (lambda () (agentinfra "accept")))))
  (let ((said (list :begun begun :asked (vconcat asked) :done (if done t :json-false) :accepted accepted
                    :refused (refusal (lambda () (agentinfra "approve"))))))
    (with-temp-file (getenv "SAID") (insert (json-encode said)))))
(eglot-shutdown (eglot-current-server) nil 20)
"""


def test_emacs_plans_approves_and_accepts(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    subprocess.run(["git", "init", "-q", project], check=True)
    (project / "idea.md").write_text(IDEA, "utf-8")
    (snippet,) = re.findall(r"```elisp\n(.*?)```", GUIDE, re.DOTALL)
    (tmp_path / "init.el").write_text(snippet)
    (tmp_path / "person.el").write_text(PERSON)
    said = tmp_path / "said.json"
    start = json.dumps({"prompt": IDEA, "replay": DEMO.as_uri(), "initialize": True})
    own = {"HOME": str(tmp_path), "AGENTINFRA_DATA_DIR": str(tmp_path / "data"), "GIT_CONFIG_GLOBAL": os.devnull}
    own |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "START": start, "SAID": str(said)}
    own["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["emacs", "--batch", "-f", "package-initialize"]
    command += ["-l", tmp_path / "init.el", "-l", tmp_path / "person.el"]
    ran = subprocess.run(
        command, cwd=project, env={**os.environ, **own}, capture_output=True, text=True, timeout=240, check=False
    )
    assert said.exists(), ran.stderr
    told = json.loads(said.read_text())
    assert told["done"] is True, told
    assert told["begun"]["runId"].startswith("replay-")
    assert len(told["asked"]) == 1
    head = subprocess.run(["git", "-C", project, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert told["accepted"]["commit"] == head.stdout.strip()
    assert "No run waits for an approval" in told["refused"]
