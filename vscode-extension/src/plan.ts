/** "Plan project from idea": the idea, the model, and off. */
import * as path from "node:path";
import * as vscode from "vscode";
import type { ModelInfo, RunStartParams } from "./protocol";
import type { Server } from "./server";

/** Begins a run for an idea, which the person is asked for where none is given; tells its id. */
export async function plan(server: Server, given?: string): Promise<{ runId: string } | undefined> {
  const folder = await chosenFolder();
  const idea = folder && (given ?? (await typedIdea()));
  if (folder === undefined || !idea) {
    return undefined;
  }
  const settings = vscode.workspace.getConfiguration("agentinfra", folder);
  const model = settings.get<string>("model") || (await chosenModel(server));
  if (model === undefined) {
    return undefined;
  }
  const planner = settings.get<string>("planner") ?? "";
  return start(server, {
    prompt: idea,
    folder: folder.toString(),
    mode: settings.get<NonNullable<RunStartParams["mode"]>>("mode", "review"),
    model,
    budget: { usd: settings.get<number | null>("budget.usd", null) },
    initialize: true,
    ...(planner && vscode.workspace.isTrusted ? { planner } : {}),
  });
}

/** Plays the run that comes with the extension: nothing is asked of any model. */
export async function demo(server: Server, extension: vscode.Uri): Promise<void> {
  const folder = await chosenFolder();
  if (folder === undefined) {
    return;
  }
  const replay = vscode.Uri.joinPath(extension, "dist", "demo.jsonl");
  const idea = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(extension, "dist", "demo_idea.md"));
  const prompt = new TextDecoder().decode(idea);
  await start(server, { prompt, folder: folder.toString(), initialize: true, replay: replay.toString() });
}

async function start(server: Server, params: RunStartParams): Promise<{ runId: string }> {
  const { runId } = await server.request("agentinfra/run/start", params);
  await vscode.commands.executeCommand("agentinfra.tasks.focus");
  return { runId };
}

async function chosenFolder(): Promise<vscode.Uri | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length === 0) {
    const open = vscode.l10n.t("Open Folder");
    const said = vscode.l10n.t("AgentInfra works in a folder: open one first.");
    if ((await vscode.window.showInformationMessage(said, open)) === open) {
      await vscode.commands.executeCommand("vscode.openFolder");
    }
    return undefined;
  }
  return folders.length === 1 ? folders[0]?.uri : (await vscode.window.showWorkspaceFolderPick())?.uri;
}

/** What is selected, or the text of idea.md where that is open, or what is typed. */
async function typedIdea(): Promise<string | undefined> {
  const editor = vscode.window.activeTextEditor;
  const selected = editor === undefined ? "" : editor.document.getText(editor.selection).trim();
  if (selected) {
    return selected;
  }
  if (editor !== undefined && path.basename(editor.document.fileName) === "idea.md") {
    return editor.document.getText();
  }
  return vscode.window.showInputBox({
    title: vscode.l10n.t("Plan project from idea"),
    prompt: vscode.l10n.t("What shall be built? Name the functions or pages and give examples where you have some."),
    ignoreFocusOut: true,
  });
}

async function chosenModel(server: Server): Promise<string | undefined> {
  const [known, own] = await Promise.all([server.request("agentinfra/models/list", {}), vscode.lm.selectChatModels()]);
  const items = [
    ...own.map((model) => ({ label: model.name, description: model.vendor, id: `client:${model.vendor}/${model.family}` })),
    ...known.models.map((model) => ({ label: model.id, description: described(model), id: model.id })),
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t("Which model?"),
    ignoreFocusOut: true,
    matchOnDescription: true,
  });
  return picked?.id;
}

/** Where it runs; of an embedded model its size and licence, too. */
function described(model: ModelInfo): string {
  const size = model.sizeBytes ?? 0;
  if (size === 0) {
    return sources()[model.source];
  }
  const facts = `${Math.round(size / 1e6)} MB · ${model.licence ?? ""}`;
  return `${model.isHere === false ? vscode.l10n.t("free, on this machine, is downloaded first") : sources().local} · ${facts}`;
}

function sources(): Record<"api" | "local", string> {
  return { api: vscode.l10n.t("by your key"), local: vscode.l10n.t("on this machine") };
}
