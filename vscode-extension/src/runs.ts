/** The runs as the server shows them: the newest view of each, and nothing added up here. */
import * as vscode from "vscode";
import type { RunView, TaskItem } from "./protocol";
import { said, type Server } from "./server";

/** A run, as it is now: the same object for as long as it is known. */
export interface Run {
  view: RunView;
  tasks: Map<string, TaskItem>;
}

const MOST_TRIES = 20;
const PAUSE_MILLISECONDS = 500;
const WANTED = "agentinfra.wanted";
const ENDED = new Set(["done", "failed"]);
export const OVER = new Set(["done", "failed", "stopped"]);

export class Runs {
  private readonly changed = new vscode.EventEmitter<Run>();
  readonly onChanged = this.changed.event;
  private readonly known = new Map<string, Run>();
  private newest: string | undefined;

  /**
   * @param server - Who knows the runs.
   * @param wanted - Remembers, also over a reload of the window, which run is to go on until it is over.
   */
  constructor(private readonly server: Server, private readonly wanted: vscode.Memento) {
    server.onNotification("agentinfra/run/update", ({ view }) => this.take(view));
    server.onNotification("agentinfra/run/ended", ({ runId }) => this.end(runId));
    server.onStarted(() => void this.load());
  }

  /** The run that the views show: the newest. */
  get shown(): Run | undefined {
    return this.newest === undefined ? undefined : this.known.get(this.newest);
  }

  /** Has the run shown stop, or go on. */
  async control(action: "stop" | "resume"): Promise<void> {
    const view = this.shown?.view;
    if (view !== undefined) {
      await this.wanted.update(WANTED, undefined); // a person has said what they want
      await this.server.request("agentinfra/run/control", { runId: view.runId, folder: view.folder, action });
      await this.load();
    }
  }

  /** Asks for the newest run; one that the server's end, or the window's, has stopped goes on. */
  async load(): Promise<void> {
    let view: RunView;
    try {
      view = await this.server.request("agentinfra/run/view", {});
    } catch {
      return; // no folder, or no run yet
    }
    const isWanted = this.wanted.get(WANTED) === view.runId;
    this.take(view);
    if (isWanted && !view.isLive && !ENDED.has(view.state)) {
      await this.resume(view);
    }
  }

  /** Has a run go on whose server died; for a moment its own process still has its hands on it. */
  private async resume({ runId, folder }: RunView): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.server.request("agentinfra/run/control", { runId, folder, action: "resume" });
        return;
      } catch (error) {
        if (tries === MOST_TRIES) {
          this.server.log.error(`${runId} does not go on: ${said(error)}`);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
      }
    }
  }

  private end(runId: string): void {
    const run = this.known.get(runId);
    if (run !== undefined) {
      this.take({ ...run.view, isLive: false, tasks: [] });
    }
  }

  private take(view: RunView): void {
    const wanted = ENDED.has(view.state) ? undefined : view.isLive ? view.runId : this.wanted.get(WANTED);
    if (wanted !== this.wanted.get(WANTED)) {
      void this.wanted.update(WANTED, wanted);
    }
    const before = this.known.get(view.runId);
    // An older one that was on its way still tells of tasks that the newer one did not name.
    const isOld = before !== undefined && before.view.seq > view.seq;
    const told = view.tasks.map((task) => [task.id, task] as const);
    const tasks = isOld ? new Map([...told, ...before.tasks]) : new Map([...(before?.tasks ?? []), ...told]);
    const newer = isOld ? before.view : view;
    // It stays the same object: rows of the views hold it, and each would keep a state of its own alive.
    const run = Object.assign(before ?? {}, { view: newer, tasks: new Map(newer.taskIds.flatMap((id) => entry(id, tasks))) });
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
