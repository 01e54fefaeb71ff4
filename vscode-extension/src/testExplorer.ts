/** The tests of a run's tasks in the Test Explorer, as the engine saw them; it runs them, not the editor. */
import * as vscode from "vscode";
import { calm } from "./calm";
import type { TaskItem } from "./protocol";
import type { Runs } from "./runs";

const REST_MILLISECONDS = 1000;

export function showTests(runs: Runs): vscode.Disposable {
  const controller = vscode.tests.createTestController("agentinfra", "AgentInfra");
  const drawn = new Map<string, string>();
  let shown = "";
  let seen: vscode.TestRun | undefined;
  const end = () => {
    seen?.end();
    seen = undefined;
  };
  const draw = calm(() => {
    const run = runs.shown;
    if (run === undefined) {
      return;
    }
    if (run.view.runId !== shown) {
      shown = run.view.runId;
      drawn.clear();
      controller.items.replace([]);
      end();
    }
    const changed = [...run.tasks.values()].filter((task) => task.red.length + task.green.length > 0 && isNew(drawn, task));
    if (changed.length > 0) {
      // One for as long as the run goes on: the editor keeps each.
      seen ??= controller.createTestRun(new vscode.TestRunRequest(), run.view.title || run.view.runId, false);
      drawTasks(controller, seen, vscode.Uri.parse(run.view.folder), changed);
    }
    if (!run.view.isLive) {
      end();
    }
  }, () => REST_MILLISECONDS);
  return vscode.Disposable.from(controller, runs.onChanged(draw));
}

/** Whether a task's tests are other ones than those drawn, or another thing is known of them. */
function isNew(drawn: Map<string, string>, { id, red, green, state }: TaskItem): boolean {
  const now = JSON.stringify([red, green, state === "blocked"]);
  const before = drawn.get(id);
  drawn.set(id, now);
  return now !== before;
}

function drawTasks(controller: vscode.TestController, seen: vscode.TestRun, folder: vscode.Uri, tasks: TaskItem[]): void {
  for (const task of tasks) {
    const ids = task.green.length > 0 ? task.green : task.red;
    const before = controller.items.get(task.id);
    const isSame = before !== undefined && before.children.size === ids.length && ids.every((id) => before.children.get(id));
    const item = isSame ? before : taskItem(controller, folder, task, ids);
    if (!isSame) {
      controller.items.add(item);
    }
    item.children.forEach((test) => settle(seen, test, task));
  }
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

function taskItem(controller: vscode.TestController, folder: vscode.Uri, task: TaskItem, ids: string[]): vscode.TestItem {
  const item = controller.createTestItem(task.id, `${task.id} ${task.title}`);
  for (const id of ids) {
    const [file = "", ...names] = id.split("::");
    item.children.add(controller.createTestItem(id, names.join("::") || id, vscode.Uri.joinPath(folder, file)));
  }
  return item;
}
