/** One item of the status bar, and the contexts that menus depend on. */
import * as vscode from "vscode";
import { OVER, type Run, type Runs } from "./runs";
import type { Server } from "./server";
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

/** How the server is, beside the language of specifications. */
export function showServer(server: Server): vscode.Disposable {
  const item = vscode.languages.createLanguageStatusItem("agentinfra.server", [{ pattern: "**/{spec,tasks,idea}.md" }]);
  item.name = "AgentInfra";
  item.text = vscode.l10n.t("AgentInfra: not started");
  item.command = { command: "agentinfra.ui.logs", title: vscode.l10n.t("Show the log") };
  const listening = server.onState((state) => {
    item.busy = state === "starting";
    item.text = state === "stopped" ? vscode.l10n.t("AgentInfra: stopped") : vscode.l10n.t("AgentInfra: ready");
    item.severity = vscode.LanguageStatusSeverity[state === "stopped" ? "Warning" : "Information"];
    item.command =
      state === "stopped"
        ? { command: "agentinfra.ui.restart", title: vscode.l10n.t("Restart") }
        : { command: "agentinfra.ui.logs", title: vscode.l10n.t("Show the log") };
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
