/** "Print debug information": a document of its own, which goes nowhere unless the person sends it. */
import { execFile } from "node:child_process";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { debugReport } from "./debugReport";
import type { Server } from "./server";

const PYTHON_MILLISECONDS = 5000;

/**
 * Shows it.
 *
 * @param keys - Names of the secrets, whose values are left out.
 */
export async function showDebugInformation(
  { extension, secrets, logUri }: vscode.ExtensionContext,
  { about }: Server,
  keys: readonly string[],
): Promise<void> {
  const { version, contributes } = extension.packageJSON as {
    version: string;
    contributes: { configuration: { properties: Record<string, unknown> } };
  };
  const settings = vscode.workspace.getConfiguration();
  const hidden = await Promise.all(keys.map(async (name) => [await secrets.get(name), process.env[name]]));
  const facts = {
    about: {
      Extension: version,
      "VS Code": `${vscode.version} (${vscode.env.appName}, ${vscode.env.appHost}, ${vscode.env.language})`,
      Remote: vscode.env.remoteName ?? "none",
      System: `${os.type()} ${os.release()} ${os.arch()}, Node.js ${process.versions.node}`,
      Trusted: String(vscode.workspace.isTrusted),
      Server: [about.version || "version unknown", about.state].join(", "),
      Command: about.command.join(" ") || "not started yet",
      Python: await pythonVersion(about.command[0] ?? ""),
    },
    settings: Object.fromEntries(Object.keys(contributes.configuration.properties).map((name) => [name, settings.get(name)])),
    log: await logOf(logUri),
  };
  const content = debugReport(facts, hidden.flat().filter((one) => one !== undefined), os.homedir());
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: "markdown", content }));
}

/** The version of an interpreter, or of the one beside a program that an installation has put there. */
async function pythonVersion(command: string): Promise<string> {
  const python = path.basename(command).startsWith("python") ? command : path.join(path.dirname(command), "python");
  const asked = path.isAbsolute(python) ? promisify(execFile)(python, ["-VV"], { timeout: PYTHON_MILLISECONDS }) : undefined;
  return (await asked?.catch(() => undefined))?.stdout.trim() ?? "";
}

async function logOf(folder: vscode.Uri): Promise<string> {
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder, "AgentInfra.log")));
  } catch (error) {
    return String(error);
  }
}
