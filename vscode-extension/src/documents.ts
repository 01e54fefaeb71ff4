/** A specification that is open is looked at: the server starts for it, where that asks nothing of anybody. */
import * as path from "node:path";
import * as vscode from "vscode";
import type { Environment } from "./environment";
import type { Server } from "./server";

const NAMES = new Set(["spec.md", "tasks.md", "idea.md"]);

export function startForDocuments(server: Server, environment: Environment): vscode.Disposable {
  const look = async (documents: readonly vscode.TextDocument[]) => {
    if (vscode.workspace.isTrusted && documents.some(isOurs) && (await environment.isReady())) {
      await server.ready().catch((error: unknown) => server.log.error(String(error)));
    }
  };
  void look(vscode.workspace.textDocuments);
  return vscode.Disposable.from(
    vscode.workspace.onDidOpenTextDocument((document) => void look([document])),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void look(vscode.workspace.textDocuments)),
  );
}

function isOurs({ uri }: vscode.TextDocument): boolean {
  const isFile = uri.scheme === "file" && vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  return isFile && NAMES.has(path.basename(uri.fsPath));
}
