/** What a person says to a run beyond yes and no: do it again, mind this. */
import * as vscode from "vscode";
import type { RunSendParams, TaskItem } from "./protocol";
import type { Runs } from "./runs";
import type { Server } from "./server";

const MOST_CHARACTERS = 2000;

/** Has a task done again, with a note for its agents where the person has one. */
export async function retry(server: Server, runs: Runs, node: { task: TaskItem } | undefined): Promise<void> {
  const run = runs.shown;
  const blocked = [...(run?.tasks.values() ?? [])].filter((task) => task.state === "blocked" || task.undone);
  const task = node?.task ?? (blocked.length === 1 ? blocked[0] : await chosenTask(blocked));
  if (run === undefined || task === undefined) {
    return;
  }
  const note = await typed(vscode.l10n.t("Do {0} again", task.id), vscode.l10n.t("What shall be done otherwise? May be left empty."));
  if (note !== undefined) {
    const { runId, folder } = run.view;
    await server.request("agentinfra/task/retry", { runId, folder, taskId: task.id, note });
    await runs.load();
  }
}

/** Tells a task's agents, or all of them, something while they work. */
export async function send(server: Server, runs: Runs, node: { task?: TaskItem } | undefined): Promise<void> {
  const text = await typed(vscode.l10n.t("Tell the agents"), vscode.l10n.t("What they shall mind from now on"));
  const choices = [
    { label: vscode.l10n.t("With their next request"), when: "next" as const },
    { label: vscode.l10n.t("Now: the answer that is being written is withdrawn"), when: "now" as const },
  ];
  const picked = text ? await vscode.window.showQuickPick(choices, { title: vscode.l10n.t("When?") }) : undefined;
  if (text && picked !== undefined) {
    await say(server, runs, { text, when: picked.when, taskId: node?.task?.id ?? null });
  }
}

/** Puts words on the run's record, from where its agents take them. */
export async function say(server: Server, runs: Runs, words: Pick<RunSendParams, "text" | "when" | "taskId">): Promise<void> {
  const run = runs.shown;
  if (run !== undefined) {
    const { runId, folder } = run.view;
    await server.request("agentinfra/run/send", { runId, folder, ...words });
  }
}

async function chosenTask(tasks: TaskItem[]): Promise<TaskItem | undefined> {
  const items = tasks.map((task) => ({ label: `${task.id} ${task.title}`, description: task.reason, task }));
  return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t("Which task?") }))?.task;
}

function typed(title: string, prompt: string): Thenable<string | undefined> {
  const validateInput = (text: string) =>
    text.length > MOST_CHARACTERS ? vscode.l10n.t("At most {0} characters", MOST_CHARACTERS) : undefined;
  return vscode.window.showInputBox({ title, prompt, ignoreFocusOut: true, validateInput });
}
