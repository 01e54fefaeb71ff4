/** The details of a task, or of the whole run: what happened, in order, and a box to say something. */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { calm } from "./calm";
import type { RunEvent, TaskItem } from "./protocol";
import { OVER, type Run, type Runs } from "./runs";
import { said as message, type Server } from "./server";
import { say } from "./steering";
import { cost, stateName, time } from "./tasksView";
import { Timeline } from "./timeline";
import { said, type Said, type Shown } from "./webview/messages";

const MOST_EVENTS = 5000;
const REST_MILLISECONDS = 200;

export class Details implements vscode.WebviewViewProvider {
  private view: vscode.WebviewView | undefined;
  private runId = "";
  private timeline = new Timeline(undefined, translated);
  /** Number of the last event that is part of the timeline. */
  private last = 0;
  /** Ten updates a second are drawn five times. */
  private readonly drawSoon = calm(() => void this.draw(), () => REST_MILLISECONDS);

  constructor(private readonly extension: vscode.Uri, private readonly server: Server, private readonly runs: Runs) {
    server.onNotification("agentinfra/run/update", ({ runId, events }) => {
      if (runId === this.runId) {
        this.take(events);
      }
    });
    runs.onChanged(() => this.refresh());
  }

  register(): vscode.Disposable {
    return vscode.window.registerWebviewViewProvider("agentinfra.details", this);
  }

  /** Shows a task, or the run where none is named. */
  async select(task: TaskItem | undefined): Promise<void> {
    this.begin(this.runId, task?.id);
    await vscode.commands.executeCommand("agentinfra.details.focus");
    this.refresh();
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    const assets = vscode.Uri.joinPath(this.extension, "dist", "webview");
    view.webview.options = { enableScripts: true, localResourceRoots: [assets] };
    view.webview.html = page(view.webview, assets);
    view.webview.onDidReceiveMessage((told: unknown) => void this.heed(said(told)));
    view.onDidDispose(() => (this.view = undefined));
    view.onDidChangeVisibility(() => this.refresh());
  }

  private async heed(told: Said | undefined): Promise<void> {
    if (told?.kind === "ready") {
      this.refresh();
    } else if (told?.kind === "send") {
      const { text, when } = told;
      await say(this.server, this.runs, { text, when, taskId: this.timeline.task ?? null }).catch((error: unknown) => {
        void vscode.window.showErrorMessage(message(error));
      });
    }
  }

  private refresh(): void {
    if (this.view?.visible) {
      this.drawSoon();
    }
  }

  private begin(runId: string, task: string | undefined): void {
    [this.runId, this.timeline, this.last] = [runId, new Timeline(task, translated), 0];
  }

  private async draw(): Promise<void> {
    const run = this.runs.shown;
    if (run !== undefined && run.view.runId !== this.runId) {
      this.begin(run.view.runId, this.timeline.task);
    }
    if (run !== undefined && this.last < run.view.seq) {
      await this.fetch(run);
    }
    await this.view?.webview.postMessage(this.shown(run));
  }

  private async fetch(run: Run): Promise<void> {
    const { runId, folder } = run.view;
    const found = await this.server.request("agentinfra/run/get", { runId, folder, sinceSeq: this.last, limit: MOST_EVENTS });
    if (runId === this.runId) {
      this.take(found.events ?? []);
    }
  }

  /** Takes what comes next; where something is missing in between, the next drawing fetches it. */
  private take(events: readonly RunEvent[]): void {
    const fresh = events.filter((event) => event.seq > this.last);
    if (fresh[0]?.seq === this.last + 1) {
      this.timeline.take(fresh);
      this.last = fresh.at(-1)?.seq ?? this.last;
    }
    this.refresh();
  }

  private shown(run: Run | undefined): Shown {
    const task = run?.tasks.get(this.timeline.task ?? "");
    const title = task === undefined ? run?.view.title || run?.view.idea.slice(0, 80) || "" : `${task.id} ${task.title}`;
    return {
      kind: "show",
      title,
      facts: run === undefined ? [] : facts(run, task),
      entries: this.timeline.entries,
      canSend: run !== undefined && run.view.isLive && !OVER.has(run.view.state),
      words: {
        empty: vscode.l10n.t("Nothing has been planned here yet."),
        message: vscode.l10n.t("What the agents shall mind"),
        next: vscode.l10n.t("Send with the next request"),
        now: vscode.l10n.t("Send now"),
        timeline: vscode.l10n.t("What happened"),
      },
    };
  }
}

function translated(text: string, ...given: Array<string | number>): string {
  return vscode.l10n.t(text, ...given);
}

function facts({ view, tasks }: Run, task: TaskItem | undefined): Shown["facts"] {
  const told: Shown["facts"] =
    task === undefined
      ? [
          [vscode.l10n.t("State"), stateName(view.state)],
          [vscode.l10n.t("Tasks"), `${[...tasks.values()].filter(({ state }) => state === "done").length}/${tasks.size}`],
          [vscode.l10n.t("Model"), view.model],
          [vscode.l10n.t("Time"), time(view.elapsed)],
          [vscode.l10n.t("Tokens"), view.tokens.toLocaleString()],
          [vscode.l10n.t("Cost"), cost(view)],
        ]
      : [
          [vscode.l10n.t("State"), [stateName(task.state), task.reason].filter(Boolean).join(": ")],
          [vscode.l10n.t("Agent"), task.engineer],
          [vscode.l10n.t("Requirements"), task.requirements.join(", ")],
          [vscode.l10n.t("Files"), task.files.join(", ")],
          [vscode.l10n.t("Model"), view.model],
          [vscode.l10n.t("Time"), time(task.seconds)],
          [vscode.l10n.t("Tokens"), task.tokens.toLocaleString()],
        ];
  return told.filter(([, value]) => value);
}

function page(webview: vscode.Webview, assets: vscode.Uri): string {
  const nonce = randomBytes(16).toString("base64");
  const at = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(assets, name)).toString();
  const allowed = `default-src 'none'; style-src ${webview.cspSource}; font-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="${vscode.env.language}">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${allowed}">
  <title>AgentInfra</title>
  <link rel="stylesheet" href="${at("codicon.css")}" id="vscode-codicon-stylesheet">
  <link rel="stylesheet" href="${at("details.css")}">
</head>
<body>
  <main>
    <h1 id="head"></h1>
    <dl id="facts"></dl>
    <section id="log" role="log"><ol id="entries"></ol></section>
    <form id="form" hidden></form>
  </main>
  <script nonce="${nonce}" src="${at("details.js")}"></script>
</body>
</html>`;
}
