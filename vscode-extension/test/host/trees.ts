import assert from "node:assert/strict";
import * as vscode from "vscode";
import { ours, until } from "./ours";

const label = (item: vscode.TreeItem) => (typeof item.label === "string" ? item.label : (item.label?.label ?? ""));

export function trees(): void {
  it("show what waits, the tasks with their tests, and what was merged", async () => {
    const { runs, needsYou, tasks, changes } = await ours();
    assert.deepEqual(tasks.getChildren(), []);
    await vscode.commands.executeCommand("agentinfra.ui.demo");
    const waiting = await until(() => needsYou.getChildren().find((one) => one.kind === "approval"));
    assert.equal(needsYou.getTreeItem(waiting).contextValue, "approval");
    await until(async () => {
      await vscode.commands.executeCommand("agentinfra.ui.approve"); // the state is told before the question is put
      return runs.shown?.view.state !== "awaiting_approval";
    });
    await until(() => runs.shown?.view.state === "done" && !runs.shown.view.isLive);
    assert.deepEqual(needsYou.getChildren(), []);

    const [run] = tasks.getChildren();
    assert(run);
    assert.match(label(tasks.getTreeItem(run)), /hiking/);
    assert.match(String(tasks.getTreeItem(run).description), /done · 4\/4/);
    const engineers = tasks.getChildren(run).filter((one) => one.kind === "engineer");
    assert.equal(engineers.length, 1);
    const rows = engineers.flatMap((one) => tasks.getChildren(one));
    assert.deepEqual(rows.map((one) => label(tasks.getTreeItem(one)).split(" ")[0]), ["T-1", "T-2", "T-3", "T-4"]);
    for (const row of rows) {
      const item = tasks.getTreeItem(row);
      assert.match(String(item.description), /done/);
      assert(item.accessibilityInformation?.label.includes("done"), "a screen reader hears the state");
      assert(tasks.getChildren(row).length > 0, "its tests");
    }

    const merged = await changes.getChildren();
    assert.equal(merged.length, 4);
    const files = (await Promise.all(merged.map((one) => changes.getChildren(one)))).flat();
    const paths = files.map((one) => changes.getTreeItem(one).resourceUri?.path ?? "");
    assert(paths.some((path) => path.endsWith("/pace.py")), paths.join(", "));
  });
}
