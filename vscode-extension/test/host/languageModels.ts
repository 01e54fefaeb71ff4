import assert from "node:assert/strict";
import * as vscode from "vscode";
import { ours, until } from "./ours";

interface Parrot {
  asked: string[];
  cancelled: number;
  answer: (token: vscode.CancellationToken) => Promise<string[]> | string[];
}

export function languageModels(): void {
  let parrot: Parrot;
  const start = async (prompt: string) => {
    const { server } = await ours();
    const model = "client:tests/parrot";
    return (await server.request("agentinfra/run/start", { prompt, model, initialize: true })).runId;
  };
  const ended = async (runId: string) => {
    const { server } = await ours();
    return until(async () => {
      const view = await server.request("agentinfra/run/view", { runId });
      return ["failed", "stopped"].includes(view.state) && !view.isLive ? view : undefined;
    });
  };

  before(async () => {
    const extension = vscode.extensions.getExtension<Parrot>("tests.parrot");
    assert(extension);
    parrot = await extension.activate();
    await until(async () => (await vscode.lm.selectChatModels({ vendor: "tests" })).length > 0);
  });

  it("are asked in the place of a key, and their pieces arrive in order", async () => {
    parrot.answer = () => ["The parrot ", "has ", "no plan."];
    const run = await start("A tea timer, please.");
    await until(() => parrot.asked.length >= 2); // what is no plan is asked for once more, with what was said
    assert.match(parrot.asked[0] ?? "", /A tea timer, please\./);
    assert.match(parrot.asked.find((one) => one.includes("The parrot has no plan.")) ?? "", /The parrot has no plan\./);
    await ended(run);
  });

  it("that refuse are told of in words", async () => {
    parrot.answer = () => Promise.reject(vscode.LanguageModelError.NotFound("This parrot is no more."));
    const view = await ended(await start("A coffee timer."));
    assert.match(JSON.stringify(view), /parrot/i);
  });

  it("are told when the run is stopped", async () => {
    const before = parrot.cancelled;
    parrot.answer = (token) => new Promise((resolve) => token.onCancellationRequested(() => resolve([])));
    const asked = parrot.asked.length;
    const run = await start("A soup timer.");
    await until(() => parrot.asked.length > asked);
    const { server } = await ours();
    await server.request("agentinfra/run/control", { runId: run, action: "stop" });
    await until(() => parrot.cancelled > before);
    await ended(run);
  });
}
