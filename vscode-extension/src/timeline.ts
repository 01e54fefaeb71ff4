/** What happened to a task, or to a whole run, as lines that a person reads; made of events alone. */
import type { RunEvent } from "./protocol";

export interface Entry {
  /** The same for what belongs together, such as the start and the end of a step. */
  key: string;
  /** Seconds since 1970. */
  time: number;
  icon: string;
  tone: "plain" | "good" | "bad" | "person";
  text: string;
  /** More, for those who unfold it. */
  detail: string;
}

export type Say = (text: string, ...given: Array<string | number>) => string;

export const MOST_ENTRIES = 500;
const MOST_CHARACTERS = 20_000;
const SHOWN_TESTS = 20;

/** The entries of a run's events, oldest first; those of one task where one is named. Events themselves are not kept. */
export class Timeline {
  private readonly found = new Map<string, Entry>();

  constructor(readonly task: string | undefined, private readonly say: Say) {}

  get entries(): Entry[] {
    return [...this.found.values()];
  }

  /** Takes the events that come next. */
  take(events: readonly RunEvent[]): this {
    for (const event of events) {
      const of = event.data["task"];
      const isOther = this.task !== undefined && of !== undefined && of !== this.task;
      const entry = isOther ? undefined : MAKERS[event.kind]?.(event, this.say, this.found);
      const isSaid = event.kind === "instruction"; // to a task, or to all of them
      if (entry !== undefined && (this.task === undefined || of === this.task || isSaid || this.found.has(entry.key))) {
        this.found.set(entry.key, entry);
      }
      if (this.found.size > MOST_ENTRIES) {
        this.found.delete(this.found.keys().next().value ?? "");
      }
    }
    return this;
  }
}

type Maker = (event: RunEvent, say: Say, found: ReadonlyMap<string, Entry>) => Entry | undefined;

const MAKERS: Record<string, Maker> = {
  state_update: (event, say) => entry(event, "circle-large-outline", say(words(event, "state").replaceAll("_", " ")), words(event, "reason")),
  agent_state: (event, say) => {
    const state = words(event, "state");
    const look = { done: ["pass-filled", "good"], green: ["pass", "good"], blocked: ["error", "bad"] }[state];
    const attempt = count(event, "attempt");
    const named = attempt > 0 ? say("{0}, try {1}", say(state), attempt) : say(state);
    const told = entry(event, look?.[0] ?? "circle-outline", named, words(event, "reason"), look?.[1] as Entry["tone"]);
    return { ...told, key: `${words(event, "task")} ${state} ${attempt} ${count(event, "retry")}` };
  },
  tool_call: (event) => ({ ...entry(event, "loading", words(event, "title")), key: `step ${words(event, "id")}` }),
  tool_call_update: (event, _say, found) => {
    const before = found.get(`step ${words(event, "id")}`);
    const failed = words(event, "status") === "failed";
    const seconds = `${count(event, "seconds").toFixed(1)} s`;
    const ended = { icon: failed ? "error" : "check", tone: failed ? ("bad" as const) : before?.tone ?? "plain" };
    return before && { ...before, ...ended, text: `${before.text} · ${seconds}`, detail: words(event, "content") };
  },
  agent_message_chunk: (event, say, found) => {
    const key = `words ${words(event, "task")}`;
    const before = found.get(key)?.detail ?? "";
    return { ...entry(event, "comment", say("The model's words"), (before + words(event, "text")).slice(-MOST_CHARACTERS)), key };
  },
  test_result: testResult,
  test_strength: (event, say) => entry(event, "beaker", say("The tests were tried on wrong code"), words(event, "reason")),
  ruling: (event, say) => entry(event, "law", say("At fault: {0}", words(event, "fault") || "–"), words(event, "reason")),
  change_proposed: (event, say) => entry(event, "diff", say("A change of {0}", list(event, "files").join(", "))),
  change_resolved: (event, say) => {
    const decision = words(event, "decision");
    const tone = decision === "merged" || decision === "accepted" ? "good" : "plain";
    return entry(event, "git-merge", say(decision), words(event, "reason"), tone);
  },
  qa_finding: (event) => entry(event, "warning", words(event, "message"), `${words(event, "path")}:${count(event, "line")}`),
  notice: (event) => entry(event, "info", words(event, "text"), "", words(event, "level") === "error" ? "bad" : "plain"),
  instruction: (event, say) => ({
    ...entry(event, "account", say("You: {0}", words(event, "text")), say("Waits for the next request"), "person"),
    key: `said ${words(event, "id")}`,
  }),
  instruction_used: (event, say, found) => {
    const before = found.get(`said ${words(event, "id")}`);
    return before && { ...before, detail: say("The model was told") };
  },
};

function testResult(event: RunEvent, say: Say): Entry {
  const tests = records(event.data["tests"]);
  const failed = tests.filter(({ outcome }) => outcome !== "passed");
  const passed = tests.length - failed.length;
  const isRed = words(event, "phase") === "red";
  const told = isRed ? say("Without code {0} of {1} tests fail", failed.length, tests.length) : say("{0} of {1} tests pass", passed, tests.length);
  const detail = [words(event, "reason"), ...failed.slice(0, SHOWN_TESTS).map(({ id, message }) => `${id}\n${message}`)];
  const isGood = failed.length === 0 || isRed;
  return entry(event, "beaker", told, detail.filter(Boolean).join("\n\n"), isGood ? "good" : "bad");
}

function entry(event: RunEvent, icon: string, text: string, detail = "", tone: Entry["tone"] = "plain"): Entry {
  return { key: String(event.seq), time: event.time, icon, tone, text, detail: detail.slice(0, MOST_CHARACTERS) };
}

function words(event: RunEvent, name: string): string {
  const value = event.data[name];
  return typeof value === "string" ? value : "";
}

function count(event: RunEvent, name: string): number {
  const value = event.data[name];
  return typeof value === "number" ? value : 0;
}

function list(event: RunEvent, name: string): string[] {
  const value = event.data[name];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function records(value: unknown): Array<{ id: string; outcome: string; message: string }> {
  const items: unknown[] = Array.isArray(value) ? value : [];
  return items.flatMap((one) => {
    const { id, outcome, message } = (one ?? {}) as Record<string, unknown>;
    return typeof id === "string" && typeof outcome === "string" ? [{ id, outcome, message: String(message ?? "") }] : [];
  });
}
