/** Where the server comes from: a command of the settings, or an environment that is made with the person's consent. */
import * as path from "node:path";
import * as vscode from "vscode";
import { findPython, folderOf, install, installedPython, InstallError, which, type Plan } from "./serverInstall";

const PYTHONS = ["python3", "python3.13", "python3.12", "python3.11"];
const SIZE_MEGABYTES = 600;

export class Environment {
  private installing: Promise<string> | undefined;

  constructor(private readonly context: vscode.ExtensionContext, private readonly log: vscode.LogOutputChannel) {}

  /** Whether the server can be started without a question. */
  async isReady(): Promise<boolean> {
    return given().length > 0 || (await installedPython(await folderOf(this.parts()))) !== undefined;
  }

  /** The command that starts the server; asks before it installs anything. */
  async command(): Promise<string[]> {
    const own = given();
    if (own.length > 0) {
      return own;
    }
    const python = (await installedPython(await folderOf(this.parts()))) ?? (await this.installed());
    // Nothing in the opened folder stands in for a module.
    return [python, "-P", "-X", "utf8", "-m", "agentinfra_server"];
  }

  /** Makes the environment anew, also where there is one. */
  async repair(): Promise<void> {
    await this.make();
  }

  /** Where the server's parts lie. */
  parts(): Pick<Plan, "place" | "requirements" | "wheel"> {
    const { extensionUri, globalStorageUri, extension } = this.context;
    const folder = path.join(extensionUri.fsPath, "dist", "server");
    const { version } = extension.packageJSON as { version: string };
    return {
      place: path.join(globalStorageUri.fsPath, "server"),
      requirements: path.join(folder, "requirements.txt"),
      wheel: path.join(folder, `agentinfra-${version}-py3-none-any.whl`),
    };
  }

  private async installed(): Promise<string> {
    const yes = vscode.l10n.t("Install");
    const said = vscode.l10n.t(
      "AgentInfra's server is not installed yet. It goes into the editor's own folder and takes about {0} MB.",
      SIZE_MEGABYTES,
    );
    if ((await vscode.window.showInformationMessage(said, yes)) !== yes) {
      throw new InstallError(vscode.l10n.t("The server is not installed."));
    }
    return this.make();
  }

  private make(): Promise<string> {
    this.installing ??= this.withProgress().finally(() => (this.installing = undefined));
    return this.installing;
  }

  private async withProgress(): Promise<string> {
    const plan = await this.plan();
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t("Installing AgentInfra's server"),
      cancellable: true,
    };
    return vscode.window.withProgress(options, async (progress, token) => {
      const stop = new AbortController();
      token.onCancellationRequested(() => stop.abort());
      const report = (line: string) => {
        this.log.info(line);
        progress.report({ message: line.slice(0, 80) });
      };
      try {
        return await install(plan, report, stop.signal);
      } catch (error) {
        this.log.error(String(error));
        throw stop.signal.aborted ? new InstallError(vscode.l10n.t("The server is not installed.")) : error;
      }
    });
  }

  private async plan(): Promise<Plan> {
    const settings = vscode.workspace.getConfiguration("agentinfra");
    const [chosen, wheelhouse] = [settings.get<string>("python"), settings.get<string>("wheelhouse")];
    const uv = await which("uv");
    const found = uv === undefined ? await Promise.all(PYTHONS.map((name) => which(name))) : [];
    const candidates = chosen ? [chosen] : found.filter((one) => one !== undefined);
    const python = uv === undefined || chosen ? await findPython(candidates) : undefined;
    return { ...this.parts(), python, uv, wheelhouse: wheelhouse || undefined };
  }
}

function given(): string[] {
  return vscode.workspace.getConfiguration("agentinfra").get<string[]>("server.command", []);
}
