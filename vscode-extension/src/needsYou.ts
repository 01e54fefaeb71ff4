/** What waits for the person: questions, the approval, permissions, and what went wrong; each can be left open. */
import * as vscode from "vscode";
import type { PermissionParams, PermissionResult, QuestionParams, QuestionResult } from "./protocol";
import type { Runs } from "./runs";
import type { Server } from "./server";

export type Waiting =
  | { kind: "question"; question: QuestionParams; settle: (result: QuestionResult) => void }
  | { kind: "permission"; permission: PermissionParams; settle: (result: PermissionResult) => void }
  | { kind: "approval"; runId: string; specUri: string; specSha: string }
  | { kind: "failure"; runId: string; message: string };

export class NeedsYou implements vscode.TreeDataProvider<Waiting> {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly asked = new Set<Waiting>();
  private readonly shownSpecs = new Set<string>();
  private failure: Waiting | undefined;
  private drawn = 0;
  /** Set by whoever makes the view, for its badge. */
  view: vscode.TreeView<Waiting> | undefined;

  constructor(private readonly runs: Runs, server: Server) {
    server.onRequest("agentinfra/question/ask", (params, token) => this.question(params, token));
    server.onRequest("agentinfra/permission/request", (params, token) => this.permission(params, token));
    server.onNotification("agentinfra/run/ended", ({ runId, message, why, next }) => {
      const parts = [message, why, next].filter(Boolean);
      this.failure = parts.length > 0 ? { kind: "failure", runId, message: parts.join(" ") } : undefined;
      this.refresh();
    });
    runs.onChanged(() => {
      void this.showSpec();
      this.refresh();
    });
  }

  getChildren(): Waiting[] {
    const approval = this.approval();
    const failure = this.failure;
    return [...(approval ? [approval] : []), ...this.asked, ...(failure ? [failure] : [])];
  }

  getTreeItem(one: Waiting): vscode.TreeItem {
    const item = new vscode.TreeItem(label(one));
    item.contextValue = one.kind;
    item.iconPath = new vscode.ThemeIcon(ICONS[one.kind]);
    if (one.kind === "question") {
      item.tooltip = one.question.why ?? "";
      item.command = { command: "agentinfra.ui.answer", title: vscode.l10n.t("Answer"), arguments: [one] };
    } else if (one.kind === "permission") {
      item.tooltip = one.permission.detail;
      item.command = { command: "agentinfra.ui.answer", title: vscode.l10n.t("Answer"), arguments: [one] };
    } else if (one.kind === "approval") {
      item.command = { command: "agentinfra.ui.openSpec", title: vscode.l10n.t("Open the specification") };
    } else {
      item.tooltip = one.message;
    }
    return item;
  }

  /** The specification that waits for its approval. */
  approval(): Extract<Waiting, { kind: "approval" }> | undefined {
    const view = this.runs.shown?.view;
    if (view?.state !== "awaiting_approval" || view.specUri === null) {
      return undefined;
    }
    return { kind: "approval", runId: view.runId, specUri: view.specUri, specSha: view.specSha };
  }

  /** Lets the person answer; a closed box leaves it open. */
  async answer(one: Waiting): Promise<void> {
    if (one.kind === "question") {
      const content = await chosen(one.question);
      if (content !== undefined) {
        one.settle({ action: "accept", content });
      }
    } else if (one.kind === "permission") {
      const [allow, deny] = [vscode.l10n.t("Allow"), vscode.l10n.t("Deny")];
      const box = { title: one.permission.title, placeHolder: one.permission.detail, ignoreFocusOut: true };
      const picked = await vscode.window.showQuickPick([deny, allow], box);
      if (picked !== undefined) {
        one.settle({ outcome: picked === allow ? "allow" : "deny" });
      }
    }
  }

  private question(question: QuestionParams, token: vscode.CancellationToken): Promise<QuestionResult> {
    return this.open<QuestionResult>(token, { action: "cancel" }, (settle) => ({ kind: "question", question, settle }));
  }

  private permission(permission: PermissionParams, token: vscode.CancellationToken): Promise<PermissionResult> {
    return this.open<PermissionResult>(token, { outcome: "deny" }, (settle) => ({ kind: "permission", permission, settle }));
  }

  private open<T>(token: vscode.CancellationToken, silence: T, wait: (settle: (result: T) => void) => Waiting): Promise<T> {
    return new Promise((resolve) => {
      const one = wait((result) => {
        this.asked.delete(one);
        this.refresh();
        resolve(result);
      });
      token.onCancellationRequested(() => {
        this.asked.delete(one);
        this.refresh();
        resolve(silence);
      });
      this.asked.add(one);
      this.refresh();
      void this.answer(one);
    });
  }

  /** Opens each specification once, when it begins to wait. */
  private async showSpec(): Promise<void> {
    const approval = this.approval();
    if (approval === undefined || this.shownSpecs.has(approval.specSha)) {
      return;
    }
    this.shownSpecs.add(approval.specSha);
    await vscode.window.showTextDocument(vscode.Uri.parse(approval.specUri), { preview: false });
  }

  private refresh(): void {
    const count = this.getChildren().length;
    // Most of what a run tells is nothing that waits.
    if (count === 0 && this.drawn === 0) {
      return;
    }
    this.drawn = count;
    if (this.view) {
      this.view.badge = count > 0 ? { value: count, tooltip: vscode.l10n.t("{0} waiting for you", count) } : undefined;
    }
    this.changed.fire();
  }
}

const ICONS = { question: "question", permission: "shield", approval: "checklist", failure: "error" } as const;

function label(one: Waiting): string {
  switch (one.kind) {
    case "question":
      return vscode.l10n.t("Planner asks: {0}", one.question.message);
    case "permission":
      return one.permission.title;
    case "approval":
      return vscode.l10n.t("Read the specification, then approve it");
    case "failure":
      return one.message;
  }
}

/** An option, or words of one's own; undefined where the box was closed. */
function chosen(question: QuestionParams): Promise<string | undefined> {
  const box = vscode.window.createQuickPick();
  box.title = question.message;
  box.placeholder = question.why || vscode.l10n.t("Choose, or write your own answer");
  box.ignoreFocusOut = true;
  const options = (question.options ?? []).map((option) => ({
    label: option,
    ...(option === question.recommended ? { description: vscode.l10n.t("recommended") } : {}),
  }));
  box.items = options;
  box.activeItems = options.filter((option) => option.label === question.recommended);
  return new Promise((resolve) => {
    box.onDidAccept(() => {
      resolve(box.selectedItems[0]?.label ?? (box.value || undefined));
      box.hide();
    });
    box.onDidHide(() => {
      resolve(undefined);
      box.dispose();
    });
    box.show();
  });
}
