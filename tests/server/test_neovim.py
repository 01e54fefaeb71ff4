"""Debian's Neovim, with the very snippet of the guide, drives a whole run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.server.test_runs import DEMO, IDEA

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "how-to" / "use-in-your-editor.md").read_text("utf-8")

# What a person does by hand: approve in the message box, look from time to time, accept.
PERSON = """
local asked = {}
vim.lsp.handlers['window/showMessageRequest'] = function(_, params)
  table.insert(asked, params.message)
  return params.actions[1]
end
local function ask(command, argument)
  local client = vim.lsp.get_active_clients()[1]
  local params = { command = 'agentinfra.' .. command, arguments = { argument or vim.empty_dict() } }
  local reply = client.request_sync('workspace/executeCommand', params, 60000, 0)
  return reply.err and { error = reply.err.message } or reply.result
end
local function wait_for(state)
  return vim.wait(120000, function()
    local runs = ask('status')
    return runs[#runs] and runs[#runs].state == state
  end, 200)
end
vim.cmd('AgentInfra status')
vim.wait(20000, function()
  local client = vim.lsp.get_active_clients()[1]
  return client ~= nil and client.initialized
end, 50)
local given = vim.fn.json_decode(vim.fn.readfile(vim.env.START)[1])
local begun = ask('plan', given)
local is_done = wait_for('done')
local accepted
vim.wait(20000, function() accepted = ask('accept'); return accepted.error == nil end, 200)
local said = { begun = begun, asked = asked, done = is_done, accepted = accepted, refused = ask('approve') }
vim.fn.writefile({ vim.fn.json_encode(said) }, vim.env.SAID)
vim.lsp.stop_client(vim.lsp.get_active_clients())
vim.wait(20000, function() return #vim.lsp.get_active_clients() == 0 end, 50)
vim.cmd('qa!')
"""


def test_neovim_plans_approves_and_accepts(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (snippet,) = re.findall(r"```lua\n(.*?)```", GUIDE, re.DOTALL)
    (tmp_path / "init.lua").write_text(snippet)
    (tmp_path / "person.lua").write_text(PERSON)
    start = tmp_path / "start.json"
    start.write_text(json.dumps({"prompt": IDEA, "replay": DEMO.as_uri(), "initialize": True}))
    said = tmp_path / "said.json"
    own = {"HOME": str(tmp_path), "AGENTINFRA_DATA_DIR": str(tmp_path / "data"), "GIT_CONFIG_GLOBAL": os.devnull}
    own |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "START": str(start), "SAID": str(said)}
    own["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["nvim", "--headless", "-u", tmp_path / "init.lua", "-c", f"luafile {tmp_path / 'person.lua'}"]
    ran = subprocess.run(
        command, cwd=project, env={**os.environ, **own}, capture_output=True, text=True, timeout=240, check=False
    )
    assert said.exists(), ran.stderr
    told = json.loads(said.read_text())
    assert told["done"] is True
    assert told["begun"]["runId"].startswith("replay-")
    assert told["asked"] == ["Build what the specification says?"]
    head = subprocess.run(["git", "-C", project, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert told["accepted"]["commit"] == head.stdout.strip()
    assert told["refused"]["error"].startswith("No run waits for an approval")
