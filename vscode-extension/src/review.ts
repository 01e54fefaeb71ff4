/** A review of a task's commit: pieces that are rejected and comments on lines, sent together. */
import * as vscode from "vscode";
import { sideOf, type Change, type ChangedFiles, type Opinion } from "./changes";
import type { ChangeReviewParams, TaskItem } from "./protocol";
import type { Run, Runs } from "./runs";
import type { Server } from "./server";

interface Draft {
  runId: string;
  taskId: string;
  folder: string;
  rejected: Map<string, Set<number>>;
  threads: Set<vscode.CommentThread>;
}

export class Review implements Opinion, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onChanged = this.changed.event;
  private readonly drafts = new Map<string, Draft>();
  private readonly controller = vscode.comments.createCommentController("agentinfra", "AgentInfra");

  constructor(private readonly server: Server, private readonly runs: Runs, private readonly files: ChangedFiles) {
    this.controller.options = { prompt: vscode.l10n.t("Comment"), placeHolder: vscode.l10n.t("What the agent shall do otherwise") };
    this.controller.commentingRangeProvider = {
      provideCommentingRanges: (document) =>
        sideOf(document.uri)?.side === "after" ? [new vscode.Range(0, 0, Math.max(document.lineCount - 1, 0), 0)] : [],
    };
  }

  isRejected(commit: string, file: string, hunk: number): boolean {
    return this.drafts.get(commit)?.rejected.get(file)?.has(hunk) ?? false;
  }

  toggle(task: TaskItem, run: Run, file: string, hunk: number, rejected: boolean): void {
    const { runId, folder } = run.view;
    const chosen = this.draft({ runId, taskId: task.id, folder, commit: task.commit }).rejected;
    const hunks = chosen.get(file) ?? new Set();
    chosen.set(file, hunks);
    if (rejected) {
      hunks.add(hunk);
    } else {
      hunks.delete(hunk);
    }
    this.changed.fire();
  }

  /** Rejects, or keeps, the piece that the cursor stands in. */
  async toggleAtCursor(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const side = editor === undefined ? undefined : sideOf(editor.document.uri);
    const run = side === undefined ? undefined : this.runs.shown;
    const task = run?.tasks.get(side?.taskId ?? "");
    if (editor === undefined || side === undefined || run === undefined || task?.commit !== side.commit) {
      return;
    }
    const line = editor.selection.active.line;
    const { hunks = [] } = await this.files.look({ run, task, file: side.path });
    const [from, to] = side.side === "after" ? (["afterStart", "afterEnd"] as const) : (["beforeStart", "beforeEnd"] as const);
    const found = hunks.find((one) => one[from] <= line && line < Math.max(one[to], one[from] + 1));
    if (found !== undefined) {
      this.toggle(task, run, side.path, found.number, !this.isRejected(task.commit, side.path, found.number));
    }
  }

  /** Keeps what was written below a line, until the review is sent. */
  comment({ thread, text }: vscode.CommentReply): void {
    const side = sideOf(thread.uri);
    if (side === undefined || !text.trim()) {
      return;
    }
    const author = { name: vscode.l10n.t("You") };
    thread.comments = [...thread.comments, { body: text, mode: vscode.CommentMode.Preview, author }];
    thread.label = vscode.l10n.t("Sent with the review");
    this.draft(side).threads.add(thread);
    this.changed.fire();
  }

  /** Takes a thread back. */
  remove(thread: vscode.CommentThread): void {
    for (const draft of this.drafts.values()) {
      draft.threads.delete(thread);
    }
    thread.dispose();
    this.changed.fire();
  }

  summary(commit: string): string {
    const draft = this.drafts.get(commit);
    const rejected = [...(draft?.rejected.values() ?? [])].reduce((sum, hunks) => sum + hunks.size, 0);
    const comments = draft?.threads.size ?? 0;
    const told = [
      rejected > 0 ? vscode.l10n.t("{0} rejected", rejected) : "",
      comments > 0 ? vscode.l10n.t("{0} commented", comments) : "",
    ];
    return told.filter(Boolean).join(", ");
  }

  /** Sends a task's review; lines without which tests fail are taken back only where the person insists. */
  async send(change: Change | undefined): Promise<void> {
    const commit = change?.task.commit ?? [...this.drafts.keys()].find((one) => this.summary(one));
    const draft = commit === undefined ? undefined : this.drafts.get(commit);
    if (commit === undefined || draft === undefined || !this.summary(commit)) {
      void vscode.window.showInformationMessage(vscode.l10n.t("Untick what you reject, or comment on a line, first."));
      return;
    }
    const params = asked(draft);
    const found = await this.server.request("agentinfra/change/review", params);
    if (found.commit === "" && !(await this.insists(found.failing ?? [], params))) {
      return;
    }
    this.drafts.delete(commit);
    draft.threads.forEach((thread) => thread.dispose());
    this.changed.fire();
    await this.runs.load();
  }

  dispose(): void {
    this.controller.dispose();
  }

  private async insists(failing: string[], params: ChangeReviewParams): Promise<boolean> {
    const anyway = vscode.l10n.t("Take them back anyway");
    const said = vscode.l10n.t("Without these lines tests fail: {0}", failing.join(", "));
    if ((await vscode.window.showWarningMessage(said, anyway)) !== anyway) {
      return false;
    }
    await this.server.request("agentinfra/change/review", { ...params, force: true });
    return true;
  }

  private draft(of: { runId: string; taskId: string; folder: string; commit: string }): Draft {
    const { runId, taskId, folder, commit } = of;
    const draft = this.drafts.get(commit) ?? { runId, taskId, folder, rejected: new Map(), threads: new Set() };
    this.drafts.set(commit, draft);
    return draft;
  }
}

function asked({ runId, taskId, folder, rejected, threads }: Draft): ChangeReviewParams {
  const hunks = [...rejected].flatMap(([path, numbers]) => [...numbers].map((hunk) => ({ path, hunk })));
  const comments = [...threads].map((thread) => ({
    path: sideOf(thread.uri)?.path ?? "",
    line: thread.range?.start.line ?? 0,
    text: thread.comments.map(({ body }) => (typeof body === "string" ? body : body.value)).join("\n"),
  }));
  return { runId, taskId, folder, rejected: hunks, comments };
}
