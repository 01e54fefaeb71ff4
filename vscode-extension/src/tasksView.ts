/** The tree of a run: engineers, their tasks, and the tests of each. */
import * as vscode from "vscode";
import { calm } from "./calm";
import type { RunView, TaskItem } from "./protocol";
import type { Run, Runs } from "./runs";

type Node =
  | { kind: "run"; run: Run }
  | { kind: "engineer"; run: Run; name: string }
  | { kind: "task"; run: Run; task: TaskItem }
  | { kind: "test"; task: TaskItem; id: string }
  | { kind: "finding"; run: Run; at: number };

const LOOK: Record<string, [icon: string, color?: string]> = {
  pending: ["circle-outline"],
  ready: ["circle-outline"],
  red: ["beaker", "testing.iconQueued"],
  coding: ["sync~spin"],
  green: ["pass", "testing.iconPassed"],
  done: ["pass-filled", "testing.iconPassed"],
  blocked: ["error", "testing.iconFailed"],
  skipped: ["debug-step-over"],
  cancelled: ["circle-slash"],
  stale: ["history"],
};
const REST_MILLISECONDS = 100;

export class TasksView implements vscode.TreeDataProvider<Node> {
  private readonly changed = new vscode.EventEmitter<Node[] | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  /** The tasks' rows, which stay the same objects: so each can be drawn alone. */
  private readonly rows = new Map<string, Extract<Node, { kind: "task" }>>();
  private view: vscode.TreeView<Node> | undefined;
  private shape = "";

  constructor(private readonly runs: Runs, private readonly onVisible: () => void) {
    runs.onChanged(calm(() => this.draw(), () => REST_MILLISECONDS));
  }

  register(): vscode.Disposable {
    this.view = vscode.window.createTreeView("agentinfra.tasks", { treeDataProvider: this });
    return this.view;
  }

  getChildren(node?: Node): Node[] {
    if (node === undefined) {
      this.onVisible();
      const run = this.runs.shown;
      return run === undefined ? [] : [{ kind: "run", run }];
    }
    switch (node.kind) {
      case "run": {
        const names = new Set([...node.run.tasks.values()].map((task) => task.engineer));
        const engineers: Node[] = [...names].map((name) => ({ kind: "engineer", run: node.run, name }));
        const findings: Node[] = node.run.view.findings.map((_, at) => ({ kind: "finding", run: node.run, at }));
        return [...engineers, ...findings];
      }
      case "engineer":
        return [...node.run.tasks.values()]
          .filter((task) => task.engineer === node.name)
          .map((task) => this.row(node.run, task));
      case "task":
        return tests(node.task).map((id) => ({ kind: "test", task: node.task, id }));
      default:
        return [];
    }
  }

  getTreeItem(node: Node): vscode.TreeItem {
    switch (node.kind) {
      case "run":
        return detailed(runItem(node.run), node);
      case "engineer":
        return engineerItem(node.run, node.name);
      case "task":
        return detailed(taskItem(node.task), node);
      case "test":
        return testItem(node.task, node.id);
      case "finding":
        return findingItem(node.run.view, node.at);
    }
  }

  private row(run: Run, task: TaskItem): Node {
    const row = Object.assign(this.rows.get(task.id) ?? { kind: "task" as const }, { run, task });
    this.rows.set(task.id, row);
    return row;
  }

  /** Draws the rows that have changed, and all of them only where there are others: each costs the editor memory. */
  private draw(): void {
    const run = this.runs.shown;
    if (run === undefined || this.view === undefined) {
      return;
    }
    this.view.message = run.view.isLive ? progress(run) : "";
    const shape = [head(run), ...[...run.tasks.values()].map(({ id, engineer }) => `${engineer}/${id}`)].join("\n");
    const stale = [...run.tasks.values()].filter((task) => this.rows.has(task.id) && this.rows.get(task.id)?.task !== task);
    if (shape !== this.shape) {
      this.shape = shape;
      this.changed.fire(undefined);
    } else if (stale.length > 0) {
      this.changed.fire(stale.map((task) => this.row(run, task)));
    }
  }
}

function detailed(item: vscode.TreeItem, node: Node): vscode.TreeItem {
  item.command = { command: "agentinfra.ui.details", title: vscode.l10n.t("Details"), arguments: [node] };
  return item;
}

function tests(task: TaskItem): string[] {
  return task.green.length > 0 ? task.green : task.red;
}

function progress({ view, tasks }: Run): string {
  const over = [...tasks.values()].filter((task) => task.state === "done").length;
  return [tasks.size > 0 ? `${over}/${tasks.size}` : "", cost(view), time(view.elapsed)].filter(Boolean).join(" · ");
}

/** What is said of a run in its own row, which is drawn with all others: while it goes on, only what changes seldom. */
function head(run: Run): string {
  const { runId, title, state, isLive, findings } = run.view;
  return [runId, title, state, isLive ? "" : progress(run), findings.length].join("\n");
}

function runItem(run: Run): vscode.TreeItem {
  const { view } = run;
  const item = new vscode.TreeItem(view.title || view.idea || view.runId, vscode.TreeItemCollapsibleState.Expanded);
  item.id = view.runId;
  item.description = [stateName(view.state), view.isLive ? "" : progress(run)].filter(Boolean).join(" · ");
  item.iconPath = new vscode.ThemeIcon(view.isLive ? "sync~spin" : view.state === "done" ? "pass-filled" : "history");
  item.tooltip = [view.idea, view.model, view.branch, view.reason].filter(Boolean).join("\n");
  item.contextValue = view.isLive ? "live" : "run";
  return item;
}

function engineerItem(run: Run, name: string): vscode.TreeItem {
  const item = new vscode.TreeItem(name || vscode.l10n.t("engineer"), vscode.TreeItemCollapsibleState.Expanded);
  item.id = `${run.view.runId}/${name}`;
  item.iconPath = new vscode.ThemeIcon("person");
  return item;
}

function taskItem(task: TaskItem): vscode.TreeItem {
  const collapsible = tests(task).length > 0;
  const states = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(`${task.id} ${task.title}`, collapsible ? states.Collapsed : states.None);
  const state = task.undone ? "stale" : task.state;
  const [icon, color] = LOOK[state] ?? ["circle-outline"];
  item.id = task.id;
  item.iconPath = new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
  const counted = task.passed + task.failed;
  const tries = task.attempt > 0 && task.maxAttempts > 0 ? `${task.attempt}/${task.maxAttempts}` : "";
  const told = [
    stateName(state),
    tries && vscode.l10n.t("try {0}", tries),
    counted > 0 ? vscode.l10n.t("{0}/{1} tests", task.passed, counted) : "",
    task.seconds >= 1 ? time(task.seconds) : "",
  ];
  item.description = told.filter(Boolean).join(" · ");
  item.tooltip = [task.requirements.join(", "), task.files.join(", "), task.reason].filter(Boolean).join("\n");
  item.accessibilityInformation = { label: `${task.id}, ${task.title}, ${item.description}` };
  item.contextValue = task.undone || task.state === "blocked" ? "again" : task.commit ? "merged" : "task";
  return item;
}

function testItem(task: TaskItem, id: string): vscode.TreeItem {
  const item = new vscode.TreeItem(id.split("::").at(-1) ?? id);
  const passed = task.green.includes(id);
  item.iconPath = new vscode.ThemeIcon(passed ? "testing-passed-icon" : "beaker");
  item.tooltip = id;
  return item;
}

function findingItem(view: RunView, at: number): vscode.TreeItem {
  const finding = view.findings[at];
  const item = new vscode.TreeItem(finding?.message ?? "");
  item.iconPath = new vscode.ThemeIcon(finding?.severity === "error" ? "error" : "warning");
  item.description = finding === undefined ? "" : `${finding.path}:${finding.line}`;
  return item;
}

export function stateName(state: string): string {
  return vscode.l10n.t(state.replaceAll("_", " "));
}

export function cost(view: RunView): string {
  if (view.costUsd === null) {
    return "";
  }
  const spent = `$${view.costUsd.toFixed(2)}`;
  return view.limitUsd === null ? spent : vscode.l10n.t("{0} of {1}", spent, `$${view.limitUsd.toFixed(2)}`);
}

export function time(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
