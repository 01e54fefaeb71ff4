/** Shows and asks; the server decides. */
import * as vscode from "vscode";
import { ChangedFiles, Changes } from "./changes";
import { Environment } from "./environment";
import { serveLanguageModels } from "./languageModels";
import { NeedsYou, type Waiting } from "./needsYou";
import { demo, plan } from "./plan";
import type { ChangeDecideParams, PlanDecideParams, TaskItem } from "./protocol";
import { Runs } from "./runs";
import { said, Server } from "./server";
import { showStatus } from "./status";
import { TasksView } from "./tasksView";

const KEYS = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENROUTER_API_KEY", "AZURE_OPENAI_API_KEY"];

export function activate(context: vscode.ExtensionContext): void {
  const server = new Server();
  const environment = new Environment(context, server.log);
  server.command = () => environment.command();
  const runs = new Runs(server);
  const needsYou = new NeedsYou(runs, server);
  const files = new ChangedFiles(server);
  serveLanguageModels(server);
  server.onRequest("agentinfra/secret/get", async ({ name }) => ({ value: (await context.secrets.get(name)) ?? null }));

  const load = once(() => {
    if (vscode.workspace.isTrusted && vscode.workspace.workspaceFolders !== undefined) {
      void runs.load();
    }
  });
  needsYou.view = vscode.window.createTreeView("agentinfra.needsYou", { treeDataProvider: needsYou });
  context.subscriptions.push(
    server,
    needsYou.view,
    vscode.window.createTreeView("agentinfra.tasks", { treeDataProvider: new TasksView(runs, load) }),
    vscode.window.createTreeView("agentinfra.changes", { treeDataProvider: new Changes(runs) }),
    showStatus(runs),
    files.register(),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void server.notify("agentinfra/trust/granted", {})),
    command("diff", (change: Parameters<typeof files.show>[0]) => files.show(change)),
    ...commands(context, server, runs, needsYou),
    command("install", async () => {
      await environment.repair();
      await server.restart();
    }),
  );
}

function commands(
  context: vscode.ExtensionContext,
  server: Server,
  runs: Runs,
  needsYou: NeedsYou,
): vscode.Disposable[] {
  const control = async (action: "stop" | "resume") => {
    const run = runs.shown;
    if (run !== undefined) {
      await server.request("agentinfra/run/control", { runId: run.view.runId, folder: run.view.folder, action });
      await runs.load();
    }
  };
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
    command("approve", () => decide(server, needsYou, "approve")),
    command("reject", () => decide(server, needsYou, "reject")),
    command("answer", (one: Waiting) => needsYou.answer(one)),
    command("stop", () => control("stop")),
    command("resume", () => control("resume")),
    command("accept", () => change("accept", [])),
    command("undo", (node: { task: TaskItem } | undefined) => (node ? change("undo", [node.task.id]) : undefined)),
    command("openSpec", () => openSpec(runs)),
    command("restart", () => server.restart()),
    command("logs", () => server.log.show()),
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

async function decide(server: Server, needsYou: NeedsYou, decision: PlanDecideParams["decision"]): Promise<void> {
  const waiting = needsYou.approval();
  if (waiting === undefined) {
    void vscode.window.showInformationMessage(vscode.l10n.t("No specification waits for an approval."));
    return;
  }
  const open = vscode.workspace.textDocuments.find((one) => one.uri.toString() === vscode.Uri.parse(waiting.specUri).toString());
  if (open?.isDirty) {
    await open.save(); // what is approved is what is on disk
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
