/** Shows and asks; the server decides. */
import * as vscode from "vscode";
import { ChangedFiles, Changes } from "./changes";
import { showDebugInformation } from "./debugInformation";
import { Decorations } from "./decorations";
import { Details } from "./details";
import { startForDocuments } from "./documents";
import { Environment } from "./environment";
import { serveLanguageModels } from "./languageModels";
import { NeedsYou, type Waiting } from "./needsYou";
import { demo, plan } from "./plan";
import type { ChangeDecideParams, PlanDecideParams, TaskItem } from "./protocol";
import { Runs } from "./runs";
import { Review } from "./review";
import { said, Server } from "./server";
import { showServer, showStatus } from "./status";
import { retry, send } from "./steering";
import { TasksView } from "./tasksView";
import { showTests } from "./testExplorer";
import { offerTools } from "./tools";

const KEYS = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENROUTER_API_KEY", "AZURE_OPENAI_API_KEY"];

/** What tests in the extension host see, and nobody else. */
export interface Inside {
  server: Server;
  runs: Runs;
  needsYou: NeedsYou;
  tasks: TasksView;
  changes: Changes;
  secrets: vscode.SecretStorage;
}

export function activate(context: vscode.ExtensionContext): Inside | undefined {
  const server = new Server();
  const environment = new Environment(context, server.log);
  server.command = () => environment.command();
  const runs = new Runs(server, context.workspaceState);
  const [needsYou, files] = [new NeedsYou(runs, server), new ChangedFiles(server)];
  const details = new Details(context.extensionUri, server, runs);
  const review = new Review(server, runs, files);
  serveLanguageModels(server);
  server.onRequest("agentinfra/secret/get", async ({ name }) => ({ value: (await context.secrets.get(name)) ?? null }));

  const load = once(() => {
    if (vscode.workspace.isTrusted && vscode.workspace.workspaceFolders !== undefined) {
      void runs.load();
    }
  });
  const [tasks, changes] = [new TasksView(runs, load), new Changes(runs, files, review)];
  needsYou.view = vscode.window.createTreeView("agentinfra.needsYou", { treeDataProvider: needsYou });
  context.subscriptions.push(
    server,
    needsYou.view,
    tasks.register(),
    changes.view(),
    review,
    startForDocuments(server, environment),
    details.register(),
    command("details", (node: { task?: TaskItem } | undefined) => details.select(node?.task)),
    showStatus(runs),
    showServer(server),
    showTests(runs),
    offerTools(server, environment),
    vscode.window.registerFileDecorationProvider(new Decorations(runs)),
    files.register(),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void server.notify("agentinfra/trust/granted", {})),
    command("diff", (change: Parameters<typeof files.show>[0]) => files.show(change)),
    command("reject.piece", () => review.toggleAtCursor()),
    command("review", (change: Parameters<typeof review.send>[0]) => review.send(change)),
    command("comment", (reply: vscode.CommentReply) => review.comment(reply)),
    command("comment.remove", (thread: vscode.CommentThread) => review.remove(thread)),
    command("retry", (node: Parameters<typeof retry>[2]) => retry(server, runs, node)),
    command("send", (node: Parameters<typeof send>[2]) => send(server, runs, node)),
    ...commands(context, server, runs, needsYou),
    command("install", async () => {
      await environment.repair();
      await server.restart();
    }),
  );
  const isTest = context.extensionMode === vscode.ExtensionMode.Test;
  return isTest ? { server, runs, needsYou, tasks, changes, secrets: context.secrets } : undefined;
}

function commands(
  context: vscode.ExtensionContext,
  server: Server,
  runs: Runs,
  needsYou: NeedsYou,
): vscode.Disposable[] {
  const change = async (decision: ChangeDecideParams["decision"], tasks: string[]) => {
    const run = runs.shown;
    if (run !== undefined) {
      const { runId, folder } = run.view;
      await server.request("agentinfra/change/decide", { runId, folder, decision, taskIds: tasks });
      await runs.load();
    }
  };
  return [
    command("plan", () => plan(server)),
    command("demo", () => demo(server, context.extensionUri)),
    command("approve", () => decide(server, runs, needsYou, "approve")),
    command("reject", () => decide(server, runs, needsYou, "reject")),
    command("answer", (one: Waiting) => needsYou.answer(one)),
    command("stop", () => runs.control("stop")),
    command("resume", () => runs.control("resume")),
    command("accept", () => change("accept", [])),
    command("undo", (node: { task: TaskItem } | undefined) => (node ? change("undo", [node.task.id]) : undefined)),
    command("openSpec", () => openSpec(runs)),
    command("restart", () => server.restart()),
    command("logs", () => server.log.show()),
    command("debugInformation", () => showDebugInformation(context, server, KEYS)),
    command("setKey", () => setKey(context.secrets)),
  ];
}

/** A command whose errors are said, not swallowed. */
function command<A extends unknown[]>(name: string, run: (...given: A) => unknown): vscode.Disposable {
  return vscode.commands.registerCommand(`agentinfra.ui.${name}`, async (...given: A) => {
    try {
      await run(...given);
    } catch (error) {
      void vscode.window.showErrorMessage(said(error));
    }
  });
}

type Decision = PlanDecideParams["decision"];

async function decide(server: Server, runs: Runs, needsYou: NeedsYou, decision: Decision): Promise<void> {
  const uri = needsYou.approval()?.specUri;
  const open = vscode.workspace.textDocuments.find((one) => uri !== undefined && one.uri.toString() === vscode.Uri.parse(uri).toString());
  if (open?.isDirty) {
    await open.save(); // what is approved is what is on disk,
    await runs.load(); // as it is there now
  }
  const waiting = needsYou.approval();
  if (waiting === undefined) {
    void vscode.window.showInformationMessage(vscode.l10n.t("No specification waits for an approval."));
    return;
  }
  await server.request("agentinfra/plan/decide", { runId: waiting.runId, decision, specSha: waiting.specSha });
}

async function openSpec(runs: Runs): Promise<void> {
  const uri = runs.shown?.view.specUri;
  if (uri) {
    await vscode.window.showTextDocument(vscode.Uri.parse(uri));
  }
}

async function setKey(secrets: vscode.SecretStorage): Promise<void> {
  const name = await vscode.window.showQuickPick(KEYS, { title: vscode.l10n.t("Which key?") });
  const box = { title: name ?? "", password: true, ignoreFocusOut: true, prompt: vscode.l10n.t("Empty removes it.") };
  const value = name === undefined ? undefined : await vscode.window.showInputBox(box);
  if (name === undefined || value === undefined) {
    return;
  }
  await (value ? secrets.store(name, value) : secrets.delete(name));
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) {
      done = true;
      action();
    }
  };
}
