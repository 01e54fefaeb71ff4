/** A mark in the explorer on files that a run's tasks are at work on, or have written. */
import * as vscode from "vscode";
import type { TaskItem } from "./protocol";
import type { Runs } from "./runs";

export class Decorations implements vscode.FileDecorationProvider {
  private readonly changed = new vscode.EventEmitter<vscode.Uri[]>();
  readonly onDidChangeFileDecorations = this.changed.event;
  private readonly claims = new Map<string, TaskItem>();
  private tasks = new Set<TaskItem>();

  constructor(runs: Runs) {
    runs.onChanged(() => {
      const run = runs.shown;
      // What a person has accepted is theirs, and needs no mark any more.
      const tasks = new Set(run === undefined || run.view.decision !== "" ? [] : run.tasks.values());
      const folder = vscode.Uri.parse(run?.view.folder ?? "");
      const gone = uris(folder, [...this.tasks].filter((task) => !tasks.has(task)));
      const come = uris(folder, [...tasks].filter((task) => !this.tasks.has(task)));
      this.tasks = tasks;
      for (const [uri] of gone) {
        this.claims.delete(uri.toString());
      }
      for (const [uri, task] of come) {
        this.claims.set(uri.toString(), task);
      }
      if (gone.length + come.length > 0) {
        this.changed.fire([...gone, ...come].map(([uri]) => uri));
      }
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

function uris(folder: vscode.Uri, tasks: TaskItem[]): Array<[vscode.Uri, TaskItem]> {
  return tasks.flatMap((task) => task.files.map((file) => [vscode.Uri.joinPath(folder, file), task] as [vscode.Uri, TaskItem]));
}
