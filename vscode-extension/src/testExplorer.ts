/** The tests of a run's tasks in the Test Explorer, as the engine saw them; it runs them, not the editor. */
import * as vscode from "vscode";
import type { TaskItem } from "./protocol";
import type { Run, Runs } from "./runs";

export function showTests(runs: Runs): vscode.Disposable {
  const controller = vscode.tests.createTestController("agentinfra", "AgentInfra");
  let drawn = "";
  const listening = runs.onChanged(() => {
    const run = runs.shown;
    const tasks = [...(run?.tasks.values() ?? [])];
    const now = JSON.stringify(tasks.map(({ id, red, green, state }) => [id, red, green, state]));
    if (run !== undefined && now !== drawn) {
      drawn = now;
      draw(controller, run, tasks);
    }
  });
  return vscode.Disposable.from(controller, listening);
}

function draw(controller: vscode.TestController, { view }: Run, tasks: TaskItem[]): void {
  const shown = tasks.filter((task) => task.red.length + task.green.length > 0);
  controller.items.replace(shown.map((task) => taskItem(controller, vscode.Uri.parse(view.folder), task)));
  const seen = controller.createTestRun(new vscode.TestRunRequest(), view.title || view.runId, false);
  for (const task of shown) {
    const item = controller.items.get(task.id);
    item?.children.forEach((test) => settle(seen, test, task));
  }
  seen.end();
}

function settle(seen: vscode.TestRun, test: vscode.TestItem, task: TaskItem): void {
  if (task.green.includes(test.id)) {
    seen.passed(test);
  } else if (task.state === "blocked") {
    seen.failed(test, new vscode.TestMessage(task.reason));
  } else {
    seen.enqueued(test); // it failed before there was code, as it should
  }
}

function taskItem(controller: vscode.TestController, folder: vscode.Uri, task: TaskItem): vscode.TestItem {
  const item = controller.createTestItem(task.id, `${task.id} ${task.title}`);
  for (const id of task.green.length > 0 ? task.green : task.red) {
    const [file = "", ...names] = id.split("::");
    item.children.add(controller.createTestItem(id, names.join("::") || id, vscode.Uri.joinPath(folder, file)));
  }
  return item;
}
