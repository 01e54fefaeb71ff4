import assert from "node:assert/strict";
import * as vscode from "vscode";
import { extension, ours } from "./ours";

interface Manifest {
  contributes: { commands: { command: string }[]; menus: { commandPalette: { command: string; when: string }[] } };
}

export function commands(): void {
  const manifest = () => extension().packageJSON as Manifest;

  it("are all registered, and beside them one that rows alone use", async () => {
    await ours();
    const registered = (await vscode.commands.getCommands(true)).filter((name) => name.startsWith("agentinfra.ui."));
    const contributed = manifest().contributes.commands.map((one) => one.command);
    assert.deepEqual(registered.sort(), [...contributed, "agentinfra.ui.diff"].sort());
  });

  it("that need a row are not in the palette", () => {
    const hidden = new Map(manifest().contributes.menus.commandPalette.map((one) => [one.command, one.when]));
    for (const name of ["answer", "comment", "comment.remove"]) {
      assert.equal(hidden.get(`agentinfra.ui.${name}`), "false", name);
    }
  });

  it("say what is wrong with their arguments, and go on", async () => {
    await ours();
    for (const wrong of [undefined, null, 7, "x", {}, { task: {} }, { kind: "question" }, []]) {
      for (const name of ["retry", "undo", "details", "approve", "reject", "openSpec", "review", "diff"]) {
        await Promise.race([
          vscode.commands.executeCommand(`agentinfra.ui.${name}`, wrong),
          new Promise((resolve) => setTimeout(resolve, 500)), // it asks something, which nobody answers
        ]);
      }
      await vscode.commands.executeCommand("workbench.action.closeQuickOpen");
    }
  });
}
