/** The runs as the server shows them: the newest view of each, and nothing added up here. */
import * as vscode from "vscode";
import type { RunView, TaskItem } from "./protocol";
import type { Server } from "./server";

export interface Run {
  view: RunView;
  tasks: Map<string, TaskItem>;
}

export const OVER = new Set(["done", "failed", "stopped"]);

export class Runs {
  private readonly changed = new vscode.EventEmitter<Run>();
  readonly onChanged = this.changed.event;
  private readonly known = new Map<string, Run>();
  private newest: string | undefined;

  constructor(private readonly server: Server) {
    server.onNotification("agentinfra/run/update", ({ view }) => this.take(view));
    server.onStarted(() => void this.load());
  }

  /** The run that the views show: the newest. */
  get shown(): Run | undefined {
    return this.newest === undefined ? undefined : this.known.get(this.newest);
  }

  /** Asks for the newest run; one whose process died with the server goes on. */
  async load(): Promise<void> {
    const wasLive = this.shown?.view.isLive ?? false;
    let view: RunView;
    try {
      view = await this.server.request("agentinfra/run/view", {});
    } catch {
      return; // no folder, or no run yet
    }
    this.take(view);
    if (wasLive && !view.isLive && !OVER.has(view.state)) {
      await this.server.request("agentinfra/run/control", { runId: view.runId, action: "resume" });
    }
  }

  private take(view: RunView): void {
    const before = this.known.get(view.runId);
    if (before !== undefined && before.view.seq > view.seq) {
      return; // an older one that was on its way
    }
    const tasks = new Map(before?.tasks);
    for (const task of view.tasks) {
      tasks.set(task.id, task);
    }
    const run = { view, tasks: new Map(view.taskIds.flatMap((id) => entry(id, tasks))) };
    this.known.set(view.runId, run);
    if (this.newest === undefined || view.runId >= this.newest || view.isLive) {
      this.newest = view.runId;
    }
    this.changed.fire(run);
  }
}

function entry(id: string, tasks: ReadonlyMap<string, TaskItem>): Array<[string, TaskItem]> {
  const found = tasks.get(id);
  return found === undefined ? [] : [[id, found]];
}
