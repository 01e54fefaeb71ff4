/** A mark in the explorer on files that a run's tasks are at work on, or have written. */
import * as vscode from "vscode";
import type { TaskItem } from "./protocol";
import type { Runs } from "./runs";

export class Decorations implements vscode.FileDecorationProvider {
  private readonly changed = new vscode.EventEmitter<vscode.Uri[]>();
  readonly onDidChangeFileDecorations = this.changed.event;
  private claims = new Map<string, TaskItem>();

  constructor(runs: Runs) {
    runs.onChanged(() => {
      const run = runs.shown;
      const before = this.claims;
      // What a person has accepted is theirs, and needs no mark any more.
      const tasks = run === undefined || run.view.decision !== "" ? [] : [...run.tasks.values()];
      const folder = vscode.Uri.parse(run?.view.folder ?? "");
      const claimed = tasks.flatMap((task) => task.files.map((file) => [vscode.Uri.joinPath(folder, file).toString(), task] as const));
      this.claims = new Map(claimed);
      const touched = new Set([...before.keys(), ...this.claims.keys()]);
      this.changed.fire([...touched].map((uri) => vscode.Uri.parse(uri)));
    });
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    const task = this.claims.get(uri.toString());
    if (task === undefined) {
      return undefined;
    }
    const state = vscode.l10n.t(task.state);
    return new vscode.FileDecoration("A", `AgentInfra: ${task.id} ${task.title} (${state})`);
  }
}
