import assert from "node:assert/strict";
import * as vscode from "vscode";
import { ours, until } from "./ours";

export function tools(): void {
  const use = async (name: string, input: object) => {
    const told = await vscode.lm.invokeTool(`agentinfra_${name}`, { input, toolInvocationToken: undefined });
    const [part] = told.content;
    assert(part instanceof vscode.LanguageModelTextPart);
    return JSON.parse(part.value) as Record<string, unknown>;
  };

  it("are offered to the editor's models", async () => {
    await ours();
    const names = vscode.lm.tools.map((one) => one.name).filter((name) => name.startsWith("agentinfra_"));
    assert.deepEqual(names.sort(), ["agentinfra_plan", "agentinfra_search", "agentinfra_status"]);
  });

  it("begin a run, and tell how far it is", async () => {
    const { runs } = await ours();
    await assert.rejects(use("status", {}), /no run/i);
    const { runId } = await use("plan", { idea: "A tea timer, please." });
    assert.equal(typeof runId, "string");
    assert.equal((await use("status", {}))["runId"], runId);
    await until(() => runs.shown?.view.runId === runId);
    await runs.control("stop");
  });

  it("search the workspace", async () => {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    assert(folder);
    const code = 'def brew(cups):\n    """Boil water for tea."""\n    return cups\n';
    await vscode.workspace.fs.writeFile(vscode.Uri.joinPath(folder, "tea.py"), new TextEncoder().encode(code));
    await until(async () => JSON.stringify(await use("search", { query: "boiling water" })).includes("tea.py"));
  });
}
