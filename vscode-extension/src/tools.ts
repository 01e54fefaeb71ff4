/** What assistants in the editor's chat may use: the same runs, which the panel shows; approvals stay with the person. */
import * as vscode from "vscode";
import type { Environment } from "./environment";
import { plan } from "./plan";
import type { Server } from "./server";

export function offerTools(server: Server, environment: Environment): vscode.Disposable {
  return vscode.Disposable.from(
    tool("plan", ({ idea }: { idea: string }) => plan(server, idea), ({ idea }) => ({
      confirmationMessages: { title: vscode.l10n.t("Plan project from idea"), message: idea },
    })),
    tool("status", () => server.request("agentinfra/run/view", {})),
    tool("search", ({ query }: { query: string }) => server.request("agentinfra/search", { query })),
    mcpServers(environment),
  );
}

function tool<T>(name: string, use: (input: T) => Promise<unknown>, prepared?: (input: T) => vscode.PreparedToolInvocation): vscode.Disposable {
  return vscode.lm.registerTool<T>(`agentinfra_${name}`, {
    ...(prepared && { prepareInvocation: ({ input }) => prepared(input) }),
    invoke: async ({ input }) => {
      const told = JSON.stringify((await use(input)) ?? null);
      return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(told)]);
    },
  });
}

/** The same over the Model Context Protocol, for each folder, where the settings want it. */
function mcpServers(environment: Environment): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const wanted = () => vscode.workspace.isTrusted && vscode.workspace.getConfiguration("agentinfra").get("mcp", false);
  const provideMcpServerDefinitions = async () => {
    const [command, ...args] = wanted() && (await environment.isReady()) ? await environment.command() : [];
    const made = ({ name, uri }: vscode.WorkspaceFolder, program: string) =>
      new vscode.McpStdioServerDefinition(`AgentInfra: ${name}`, program, [...args, "--mcp", uri.fsPath], { PYTHONSAFEPATH: "1" });
    return command === undefined ? [] : (vscode.workspace.workspaceFolders ?? []).map((folder) => made(folder, command));
  };
  const provider = { onDidChangeMcpServerDefinitions: changed.event, provideMcpServerDefinitions };
  return vscode.Disposable.from(
    changed,
    vscode.lm.registerMcpServerDefinitionProvider("agentinfra.mcp", provider),
    vscode.workspace.onDidChangeConfiguration((change) => change.affectsConfiguration("agentinfra.mcp") && changed.fire()),
  );
}
