/** One item of the status bar, and the contexts that menus depend on. */
import * as vscode from "vscode";
import { OVER, type Run, type Runs } from "./runs";
import { cost, stateName } from "./tasksView";

export function showStatus(runs: Runs): vscode.Disposable {
  const item = vscode.window.createStatusBarItem("agentinfra.status", vscode.StatusBarAlignment.Left);
  item.name = "AgentInfra";
  item.command = "agentinfra.tasks.focus";
  const listening = runs.onChanged(() => {
    const run = runs.shown;
    if (run !== undefined) {
      item.text = text(run);
      item.show();
      setContexts(run);
    }
  });
  return vscode.Disposable.from(item, listening);
}

function text({ view, tasks }: Run): string {
  const icon = view.isLive ? "$(sync~spin)" : view.state === "done" ? "$(pass)" : "$(circle-outline)";
  const over = [...tasks.values()].filter((task) => task.state === "done").length;
  const progress = tasks.size > 0 ? `${over}/${tasks.size}` : stateName(view.state);
  return [`${icon} AgentInfra ${progress}`, cost(view)].filter(Boolean).join(" · ");
}

function setContexts({ view }: Run): void {
  const contexts: Record<string, boolean> = {
    "agentinfra.isLive": view.isLive && !OVER.has(view.state),
    "agentinfra.canResume": !view.isLive && view.state !== "done" && view.decision === "",
    "agentinfra.canAccept": view.state === "done" && view.decision === "",
  };
  for (const [name, value] of Object.entries(contexts)) {
    void vscode.commands.executeCommand("setContext", name, value);
  }
}
