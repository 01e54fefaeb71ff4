/** The server's requests to VS Code's language models: no key is needed where the editor has models. */
import * as vscode from "vscode";
import type { LmCountParams, LmCountResult, LmRequestParams, LmResult } from "./protocol";
import { Refusal, type Server } from "./server";

type Json = Record<string, unknown>;

const CODES: Record<string, number> = { NoPermissions: -33001, Blocked: -33002, NotFound: -33003 };
const NOT_SUPPORTED = -33004;

export function serveLanguageModels(server: Server): void {
  server.onRequest("agentinfra/lm/request", (params, token) => answered(server, params, token));
  server.onRequest("agentinfra/lm/countTokens", (params, token) => counted(params, token));
}

async function answered(server: Server, params: LmRequestParams, token: vscode.CancellationToken): Promise<LmResult> {
  const model = await selected(params.selector);
  const options: vscode.LanguageModelChatRequestOptions = {
    justification: params.justification,
    modelOptions: params.modelOptions ?? {},
    tools: (params.tools ?? []).map(tool),
    toolMode: vscode.LanguageModelChatToolMode[params.toolMode === "required" ? "Required" : "Auto"],
  };
  let calls = false;
  try {
    const response = await model.sendRequest(params.messages.map(message), options, token);
    let seq = 0;
    for await (const piece of response.stream) {
      const part = wirePart(piece);
      if (part !== undefined) {
        calls ||= part["type"] === "toolUse";
        await server.notify("agentinfra/lm/chunk", { requestId: params.requestId, seq: seq++, part });
      }
    }
  } catch (error) {
    throw refusal(error);
  }
  return { model: model.id, content: [], stopReason: calls ? "tool_use" : "stop" };
}

async function counted(params: LmCountParams, token: vscode.CancellationToken): Promise<LmCountResult> {
  const model = await selected(params.selector);
  return { count: await model.countTokens(params.text, token) };
}

async function selected(selector: Json): Promise<vscode.LanguageModelChat> {
  const [model] = await vscode.lm.selectChatModels(selector);
  if (model === undefined) {
    throw new Refusal(CODES["NotFound"] ?? 0, vscode.l10n.t("VS Code has no such language model."));
  }
  return model;
}

function refusal(error: unknown): unknown {
  if (error instanceof vscode.LanguageModelError) {
    return new Refusal(CODES[error.code] ?? NOT_SUPPORTED, error.message);
  }
  return error;
}

function tool(one: Json): vscode.LanguageModelChatTool {
  return {
    name: String(one["name"]),
    description: String(one["description"] ?? ""),
    inputSchema: (one["inputSchema"] as object | undefined) ?? {},
  };
}

function message(one: Json): vscode.LanguageModelChatMessage {
  const parts = (one["content"] as Json[]).map(inputPart);
  return one["role"] === "assistant"
    ? vscode.LanguageModelChatMessage.Assistant(parts as vscode.LanguageModelTextPart[])
    : vscode.LanguageModelChatMessage.User(parts as vscode.LanguageModelTextPart[]);
}

function inputPart(part: Json): vscode.LanguageModelTextPart | vscode.LanguageModelToolCallPart | vscode.LanguageModelToolResultPart {
  switch (part["type"]) {
    case "text":
      return new vscode.LanguageModelTextPart(String(part["text"]));
    case "toolUse":
      return new vscode.LanguageModelToolCallPart(String(part["callId"]), String(part["name"]), part["input"] as object);
    case "toolResult": {
      const content = [new vscode.LanguageModelTextPart(JSON.stringify(part["content"]))];
      return new vscode.LanguageModelToolResultPart(String(part["callId"]), content);
    }
    default:
      throw new Refusal(NOT_SUPPORTED, vscode.l10n.t("This editor cannot hand {0} to a model.", String(part["type"])));
  }
}

function wirePart(piece: unknown): Json | undefined {
  if (piece instanceof vscode.LanguageModelTextPart) {
    return { type: "text", text: piece.value };
  }
  if (piece instanceof vscode.LanguageModelToolCallPart) {
    return { type: "toolUse", callId: piece.callId, name: piece.name, input: piece.input };
  }
  return undefined;
}
