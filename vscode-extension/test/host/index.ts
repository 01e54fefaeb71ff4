/** Runs the suites inside the editor's extension host; what came of each test goes into a file as JSON. */
import { writeFileSync } from "node:fs";
import Mocha from "mocha";
import * as vscode from "vscode";
import { commands } from "./commands";
import { languageModels } from "./languageModels";
import { secrets } from "./secrets";
import { tools } from "./tools";
import { trees } from "./trees";

interface Outcome {
  title: string;
  error: string | null;
}

export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: "bdd", timeout: 90_000, reporter: class {} as never });
  mocha.suite.emit("pre-require", globalThis, "", mocha);
  const { results, wanted } = await setting();
  for (const [name, suite] of Object.entries({ commands, trees, secrets, languageModels, tools })) {
    if (wanted.includes(name)) {
      describe(name, suite);
    }
  }
  if (wanted.includes("control")) {
    it("fails, to show that a failure is seen", () => {
      throw new Error("as it must");
    });
  }
  const outcomes: Outcome[] = [];
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => resolve());
    runner.on("pass", (test) => outcomes.push({ title: test.fullTitle(), error: null }));
    runner.on("fail", (test, error: Error) => outcomes.push({ title: test.fullTitle(), error: error.stack ?? error.message }));
  });
  writeFileSync(results, JSON.stringify(outcomes));
}

/** Where the results go and which suites are wanted: a file beside this one, which the test writes. */
async function setting(): Promise<{ results: string; wanted: string[] }> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file("/");
  const text = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder, ".host.json"));
  return JSON.parse(new TextDecoder().decode(text)) as { results: string; wanted: string[] };
}
