/** What a run has merged on its branch: its tasks, and the files of each with their difference. */
import * as path from "node:path";
import * as vscode from "vscode";
import type { TaskItem } from "./protocol";
import type { Run, Runs } from "./runs";
import type { Server } from "./server";

type Change = { kind: "task"; run: Run; task: TaskItem } | { kind: "file"; run: Run; task: TaskItem; file: string };

export class Changes implements vscode.TreeDataProvider<Change> {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private drawn = "";

  constructor(private readonly runs: Runs) {
    runs.onChanged((run) => {
      const now = [...run.tasks.values()].map((task) => task.commit).join();
      if (now !== this.drawn) {
        this.drawn = now;
        this.changed.fire();
      }
    });
  }

  getChildren(change?: Change): Change[] {
    const run = this.runs.shown;
    if (run === undefined || change?.kind === "file") {
      return [];
    }
    if (change?.kind === "task") {
      const files = [...change.task.files, ...new Set(change.task.green.map((id) => id.split("::")[0] ?? id))];
      return files.map((file) => ({ ...change, kind: "file", file }));
    }
    const merged = [...run.tasks.values()].filter((task) => task.commit);
    return merged.map((task) => ({ kind: "task", run, task }));
  }

  getTreeItem(change: Change): vscode.TreeItem {
    if (change.kind === "task") {
      const states = vscode.TreeItemCollapsibleState;
      const item = new vscode.TreeItem(`${change.task.id} ${change.task.title}`, states.Collapsed);
      item.id = `change/${change.task.id}`;
      item.iconPath = new vscode.ThemeIcon("git-commit");
      item.description = change.task.commit.slice(0, 10);
      item.contextValue = "merged";
      return item;
    }
    const uri = vscode.Uri.joinPath(vscode.Uri.parse(change.run.view.folder), change.file);
    const item = new vscode.TreeItem(uri);
    item.description = path.dirname(change.file) === "." ? "" : path.dirname(change.file);
    item.command = { command: "agentinfra.ui.diff", title: "", arguments: [change] };
    return item;
  }
}

const SCHEME = "agentinfra-change";

/** Hands over files as they were before and after a task's commit. */
export class ChangedFiles implements vscode.TextDocumentContentProvider {
  constructor(private readonly server: Server) {}

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const { folder, path, commit, side } = JSON.parse(uri.query) as Side;
    return (await this.server.request("agentinfra/change/show", { folder, path, commit }))[side];
  }

  /** Shows what a commit did to a file. */
  async show(change: Extract<Change, { kind: "file" }>): Promise<void> {
    const { file, run, task } = change;
    const side = (name: Side["side"]) => {
      const query: Side = { folder: run.view.folder, path: file, commit: task.commit, side: name };
      return vscode.Uri.from({ scheme: SCHEME, path: `/${file}`, query: JSON.stringify(query) });
    };
    await vscode.commands.executeCommand("vscode.diff", side("before"), side("after"), `${file} (${task.id})`);
  }

  register(): vscode.Disposable {
    return vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }
}

interface Side {
  folder: string;
  path: string;
  commit: string;
  side: "before" | "after";
}
