"""Record what real editors say to the server: ``python -m tests.server.record [neovim] [emacs]``.

Each looks at a file of code and at a specification, edits, asks for all that it can ask for, and leaves.
VS Code is recorded by ``tests/vscode/record.py``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.server.message_log import tidy
from tests.server.test_neovim import GUIDE

ROOT = Path(__file__).parents[2]
RECORDINGS = Path(__file__).parent / "recordings"
LIMIT = 200
FILES = {
    "tea.py": "def brew(cups):\n    raise NotImplementedError\n",
    "spec.md": "# Tea\n\n## Requirements\n\n### FR-1 · Brew\n\nBrews fast, see T-1.\n",
    "tasks.md": "# Tasks\n\n- [ ] T-1 · Write brew _(pending)_\n  - Requirements: FR-1\n  - Files: `tea.py`\n",
}
NEOVIM = """
vim.cmd('edit tea.py')
vim.cmd('AgentInfra status')
vim.wait(20000, function()
  local client = vim.lsp.get_active_clients()[1]
  return client ~= nil and client.initialized
end, 50)
local client = vim.lsp.get_active_clients()[1]
local function ask(method, params) return client.request_sync(method, params, 20000, 0) end
local function document() return { textDocument = vim.lsp.util.make_text_document_params() } end
local function actions()
  local range = vim.lsp.util.make_range_params()
  range.context = { diagnostics = vim.lsp.diagnostic.get_line_diagnostics() }
  return ask('textDocument/codeAction', range)
end
ask('textDocument/hover', vim.lsp.util.make_position_params())
actions()
vim.api.nvim_buf_set_lines(0, 0, 0, false, { '# edited 😀' })
ask('textDocument/documentSymbol', document())
vim.cmd('write')
for _, name in ipairs({ 'tasks.md', 'spec.md' }) do
  vim.cmd('edit ' .. name)
  vim.lsp.buf_attach_client(0, client.id)
  vim.api.nvim_win_set_cursor(0, { 3, 6 })
  for _, method in ipairs({ 'documentSymbol', 'foldingRange', 'documentLink', 'codeLens' }) do
    ask('textDocument/' .. method, document())
  end
  for _, method in ipairs({ 'hover', 'definition', 'references' }) do
    local place = vim.lsp.util.make_position_params()
    place.context = { includeDeclaration = true }
    ask('textDocument/' .. method, place)
  end
  actions()
  vim.api.nvim_buf_set_lines(0, -1, -1, false, { '', '## Notes', '', 'Mine.' })
  vim.cmd('write')
end
ask('workspace/symbol', { query = 'brew' })
ask('workspace/executeCommand', { command = 'agentinfra.status', arguments = {} })
ask('workspace/executeCommand', { command = 'agentinfra.approve', arguments = { vim.empty_dict() } })
vim.cmd('bdelete!')
vim.lsp.stop_client(vim.lsp.get_active_clients())
vim.wait(20000, function() return #vim.lsp.get_active_clients() == 0 end, 50)
vim.cmd('qa!')
"""
EMACS = """
(setq eglot-sync-connect 30 eglot-connect-timeout 30)
(find-file "tasks.md")
(apply #'eglot--connect (eglot--guess-contact))
(defun ask (method params)
  (condition-case nil (jsonrpc-request (eglot--current-server-or-lose) method params :timeout 20) (error nil)))
(dolist (name '("tasks.md" "spec.md"))
  (find-file name)
  (goto-char (point-min))
  (forward-line 2)
  (forward-char 6)
  (eglot--signal-textDocument/didChange)
  (dolist (method '(:textDocument/documentSymbol :textDocument/documentLink :textDocument/codeLens))
    (ask method (list :textDocument (eglot--TextDocumentIdentifier))))
  (dolist (method '(:textDocument/hover :textDocument/definition :textDocument/documentHighlight))
    (ask method (eglot--TextDocumentPositionParams)))
  (ask :textDocument/codeAction (list :textDocument (eglot--TextDocumentIdentifier)
                                      :range (list :start (eglot--pos-to-lsp-position)
                                                   :end (eglot--pos-to-lsp-position))
                                      :context (list :diagnostics [])))
  (goto-char (point-max))
  (insert "\\n## Notes 😀\\n")
  (eglot--signal-textDocument/didChange)
  (save-buffer))
(ask :workspace/symbol (list :query "brew"))
(agentinfra "status")
(ask :workspace/executeCommand (list :command "agentinfra.approve" :arguments (vector (make-hash-table))))
(kill-buffer)
(eglot-shutdown (car (apply #'append (hash-table-values eglot--servers-by-project))) nil 20)
"""


def neovim(place: Path, server: list[str]) -> list[str | Path]:
    """The command that runs Neovim with the guide's snippet."""
    (snippet,) = re.findall(r"```lua\n(.*?)```", GUIDE, re.DOTALL)
    words = ", ".join(f"'{word}'" for word in server)
    (place / "init.lua").write_text(snippet.replace("cmd = { 'agentinfra-server' }", f"cmd = {{ {words} }}"))
    (place / "person.lua").write_text(NEOVIM)
    return ["nvim", "--headless", "-u", place / "init.lua", "-c", f"luafile {place / 'person.lua'}"]


def emacs(place: Path, server: list[str]) -> list[str | Path]:
    """The command that runs Emacs with the guide's snippet."""
    (snippet,) = re.findall(r"```elisp\n(.*?)```", GUIDE, re.DOTALL)
    words = " ".join(f'"{word}"' for word in server)
    (place / "init.el").write_text(snippet.replace('("agentinfra-server")', f"({words})"))
    (place / "person.el").write_text(EMACS)
    return ["emacs", "--batch", "-f", "package-initialize", "-l", place / "init.el", "-l", place / "person.el"]


EDITORS: dict[str, Callable[[Path, list[str]], list[str | Path]]] = {"neovim": neovim, "emacs": emacs}


def project_in(place: Path) -> Path:
    """A folder with the files that every editor looks at."""
    project = place / "project"
    project.mkdir()
    subprocess.run(["git", "init", "-q", project], check=True)
    for path, text in FILES.items():
        (project / path).write_text(text, "utf-8")
    return project


def logged(log: Path) -> list[str]:
    """The command of a server whose conversation is written down."""
    recorder = [sys.executable, "-m", "tests.server.message_log", str(log), "--"]
    return [*recorder, str(Path(sys.executable).with_name("agentinfra-server"))]


def keep(name: str, log: Path, project: Path) -> None:
    """Put a conversation among the recordings."""
    RECORDINGS.mkdir(exist_ok=True)
    (RECORDINGS / f"{name}.jsonl").write_text(tidy(log.read_text("utf-8"), str(project)), "utf-8")


def record(name: str) -> None:
    """Run an editor in a folder of its own, and keep what was said."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        project = project_in(place)
        log = place / "log.jsonl"
        own = {"HOME": folder, "AGENTINFRA_DATA_DIR": f"{folder}/data", "XDG_CACHE_HOME": f"{folder}/cache"}
        own |= {"GIT_CONFIG_GLOBAL": os.devnull, "PYTHONPATH": str(ROOT)}
        command = EDITORS[name](place, logged(log))
        subprocess.run(command, cwd=project, env={**os.environ, **own}, timeout=LIMIT, check=True)
        keep(name, log, project)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or EDITORS:
        record(chosen)
