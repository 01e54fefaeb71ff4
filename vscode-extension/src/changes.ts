/** What a run has merged on its branch: its tasks, the files of each, and what differs, piece by piece. */
import * as path from "node:path";
import * as vscode from "vscode";
import { calm } from "./calm";
import type { ChangeShowResult, HunkItem, TaskItem } from "./protocol";
import type { Run, Runs } from "./runs";
import type { Server } from "./server";

export type Change =
  | { kind: "task"; run: Run; task: TaskItem }
  | { kind: "file"; run: Run; task: TaskItem; file: string }
  | { kind: "hunk"; run: Run; task: TaskItem; file: string; hunk: HunkItem };

/** What the person thinks of a task's commit, so far. */
export interface Opinion {
  isRejected(commit: string, file: string, hunk: number): boolean;
  toggle(task: TaskItem, run: Run, file: string, hunk: number, rejected: boolean): void;
  /** In a few words, "" for nothing. */
  summary(commit: string): string;
  readonly onChanged: vscode.Event<void>;
}

const REST_MILLISECONDS = 100;
const MILLISECONDS_A_TASK = 5;

export class Changes implements vscode.TreeDataProvider<Change> {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private drawn = "";
  /** Where a commit's file differs, by both: this never changes, and rows that are there at once lose no click. */
  private readonly hunks = new Map<string, HunkItem[]>();

  constructor(private readonly runs: Runs, private readonly files: ChangedFiles, private readonly opinion: Opinion) {
    // All rows are drawn for one that is new, which takes the longer the more there are.
    const rest = () => Math.max(REST_MILLISECONDS, MILLISECONDS_A_TASK * (runs.shown?.tasks.size ?? 0));
    runs.onChanged(calm(() => this.draw(), rest));
    opinion.onChanged(() => this.changed.fire());
  }

  private draw(): void {
    const now = [...(this.runs.shown?.tasks.values() ?? [])].map((task) => task.commit).join();
    if (now !== this.drawn) {
      this.drawn = now;
      this.changed.fire();
    }
  }

  /** The view; its check boxes say which pieces stay. */
  view(): vscode.Disposable {
    const options = { treeDataProvider: this, manageCheckboxStateManually: true };
    const view = vscode.window.createTreeView("agentinfra.changes", options);
    const heed = view.onDidChangeCheckboxState(({ items }) => {
      for (const [one, state] of items) {
        if (one.kind === "hunk") {
          const rejected = state === vscode.TreeItemCheckboxState.Unchecked;
          this.opinion.toggle(one.task, one.run, one.file, one.hunk.number, rejected);
        }
      }
    });
    return vscode.Disposable.from(view, heed);
  }

  async getChildren(change?: Change): Promise<Change[]> {
    if (change === undefined) {
      const run = this.runs.shown;
      const merged = [...(run?.tasks.values() ?? [])].filter((task) => task.commit);
      return run === undefined ? [] : merged.map((task) => ({ kind: "task", run, task }));
    }
    if (change.kind === "task") {
      return filesOf(change.task).map((file) => ({ ...change, kind: "file", file }));
    }
    if (change.kind === "hunk") {
      return [];
    }
    const key = `${change.task.commit}/${change.file}`;
    const hunks = this.hunks.get(key) ?? (await this.files.look(change)).hunks ?? [];
    this.hunks.set(key, hunks);
    return hunks.map((hunk) => ({ ...change, kind: "hunk", hunk }));
  }

  getTreeItem(change: Change): vscode.TreeItem {
    switch (change.kind) {
      case "task":
        return this.taskItem(change.task);
      case "file":
        return fileItem(change);
      case "hunk":
        return this.hunkItem(change);
    }
  }

  private taskItem(task: TaskItem): vscode.TreeItem {
    const item = new vscode.TreeItem(`${task.id} ${task.title}`, vscode.TreeItemCollapsibleState.Collapsed);
    const said = this.opinion.summary(task.commit);
    item.id = `change/${task.commit}`;
    item.iconPath = new vscode.ThemeIcon(said ? "comment-draft" : "git-commit");
    item.description = [task.commit.slice(0, 10), said].filter(Boolean).join(" · ");
    item.contextValue = said ? "merged reviewed" : "merged";
    return item;
  }

  private hunkItem({ task, file, hunk, ...rest }: Extract<Change, { kind: "hunk" }>): vscode.TreeItem {
    const item = new vscode.TreeItem(hunkLabel(hunk));
    const states = vscode.TreeItemCheckboxState;
    const isRejected = this.opinion.isRejected(task.commit, file, hunk.number);
    const tooltip = isRejected ? vscode.l10n.t("Rejected; tick it to keep it") : vscode.l10n.t("Kept; untick it to reject it");
    item.id = `${task.commit}/${file}/${hunk.number}`;
    item.checkboxState = { state: isRejected ? states.Unchecked : states.Checked, tooltip };
    item.description = isRejected ? vscode.l10n.t("rejected") : "";
    item.command = { command: "agentinfra.ui.diff", title: "", arguments: [{ ...rest, task, file, hunk }] };
    return item;
  }
}

/** The files of a task's commit: what it claims, and its tests. */
export function filesOf(task: TaskItem): string[] {
  return [...new Set([...task.files, ...task.green.map((id) => id.split("::")[0] ?? id)])];
}

export function hunkLabel({ beforeStart, beforeEnd, afterStart, afterEnd }: HunkItem): string {
  const [added, removed] = [afterEnd - afterStart, beforeEnd - beforeStart];
  const counts = [added > 0 ? `+${added}` : "", removed > 0 ? `−${removed}` : ""].filter(Boolean).join(" ");
  return vscode.l10n.t("Line {0}: {1}", afterStart + 1, counts);
}

function fileItem(change: Extract<Change, { kind: "file" }>): vscode.TreeItem {
  const uri = vscode.Uri.joinPath(vscode.Uri.parse(change.run.view.folder), change.file);
  const item = new vscode.TreeItem(uri, vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `${change.task.commit}/${change.file}`;
  item.description = path.dirname(change.file) === "." ? "" : path.dirname(change.file);
  item.command = { command: "agentinfra.ui.diff", title: "", arguments: [change] };
  return item;
}

export const SCHEME = "agentinfra-change";

export interface Side {
  runId: string;
  taskId: string;
  folder: string;
  path: string;
  commit: string;
  side: "before" | "after";
}

/** Which side of which commit a document is; undefined for other documents. */
export function sideOf(uri: vscode.Uri): Side | undefined {
  return uri.scheme === SCHEME ? (JSON.parse(uri.query) as Side) : undefined;
}

/** Hands over files as they were before and after a task's commit. */
export class ChangedFiles implements vscode.TextDocumentContentProvider {
  constructor(private readonly server: Server) {}

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const side = sideOf(uri);
    return side === undefined ? "" : (await this.ask(side))[side.side];
  }

  /** A file before and after, and where it differs. */
  look({ run, task, file }: { run: Run; task: TaskItem; file: string }): Promise<ChangeShowResult> {
    return this.ask({ folder: run.view.folder, path: file, commit: task.commit });
  }

  /** Shows what a commit did to a file. */
  async show(change: Extract<Change, { kind: "file" | "hunk" }>): Promise<void> {
    const { file, run, task } = change;
    const side = (name: Side["side"]) => {
      const { runId, folder } = run.view;
      const query: Side = { runId, taskId: task.id, folder, path: file, commit: task.commit, side: name };
      return vscode.Uri.from({ scheme: SCHEME, path: `/${file}`, query: JSON.stringify(query) });
    };
    const at = change.kind === "hunk" ? change.hunk.afterStart : 0;
    const options = { selection: new vscode.Range(at, 0, at, 0) };
    await vscode.commands.executeCommand("vscode.diff", side("before"), side("after"), `${file} (${task.id})`, options);
  }

  register(): vscode.Disposable {
    return vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  private ask({ folder, path: file, commit }: Pick<Side, "folder" | "path" | "commit">): Promise<ChangeShowResult> {
    return this.server.request("agentinfra/change/show", { folder, path: file, commit });
  }
}
