import assert from "node:assert/strict";
import { createServer } from "node:http";
import * as vscode from "vscode";
import { ours, until } from "./ours";

const KEY = "sk-of-a-test-0123456789";

export function secrets(): void {
  it("go to the provider that they are for, and are in no setting", async () => {
    const inside = await ours();
    const seen: (string | undefined)[] = [];
    const provider = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(400, { "content-type": "application/json" }).end('{"error": {"message": "no"}}');
    });
    await new Promise<void>((resolve) => provider.listen(Number(process.env["HOST_TEST_PORT"]), "127.0.0.1", resolve));
    try {
      const begin = () => inside.server.request("agentinfra/run/start", { prompt: "A timer", model: "openai:gpt-4o", initialize: true });
      await inside.secrets.store("OPENAI_API_KEY", KEY);
      await begin();
      await until(() => seen.length > 0);
      assert.deepEqual([...new Set(seen)], [`Bearer ${KEY}`]);
      assert(!JSON.stringify(vscode.workspace.getConfiguration()).includes(KEY));

      await inside.secrets.delete("OPENAI_API_KEY");
      seen.length = 0;
      await begin().catch(() => undefined); // without a key it may be refused at once
      await new Promise((resolve) => setTimeout(resolve, 1500));
      assert(!seen.includes(`Bearer ${KEY}`));
    } finally {
      provider.close();
    }
  });
}
