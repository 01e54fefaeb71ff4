import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { RunEvent } from "../src/protocol";
import { type Entry, MOST_ENTRIES, type Say, Timeline } from "../src/timeline";
import { said } from "../src/webview/messages";

const say = (text: string, ...given: Array<string | number>) => text.replace(/\{(\d)\}/g, (_, at) => String(given[Number(at)]));

const timeline = (all: readonly RunEvent[], task: string | undefined, words: Say): Entry[] => new Timeline(task, words).take(all).entries;

type One = [kind: string, data: Record<string, unknown>];

function events(...data: One[]): RunEvent[] {
  return data.map(([kind, one], at) => ({ seq: at + 1, time: 100 + at, kind, agent: ["planner"], data: one }));
}

describe("the timeline", () => {
  it("joins the start and the end of a step", () => {
    const found = timeline(
      events(
        ["tool_call", { id: "code T-1", title: "Write the code", task: "T-1" }],
        ["tool_call_update", { id: "code T-1", status: "failed", seconds: 1.25, content: "no answer" }],
      ),
      "T-1",
      say,
    );
    expect(found).toEqual([
      { key: "step code T-1", time: 100, icon: "error", tone: "bad", text: "Write the code · 1.3 s", detail: "no answer" },
    ]);
  });

  it("tells tests that fail, and what is said of them", () => {
    const tests = [
      { id: "tests/a.py::one", outcome: "passed", message: "" },
      { id: "tests/a.py::two", outcome: "failed", message: "1 is not 2" },
    ];
    const [red, attempt] = timeline(
      events(["test_result", { task: "T-1", phase: "red", tests }], ["test_result", { task: "T-1", phase: "attempt", tests }]),
      "T-1",
      say,
    );
    expect([red?.text, red?.tone]).toEqual(["Without code 1 of 2 tests fail", "good"]);
    expect([attempt?.text, attempt?.tone, attempt?.detail]).toEqual(["1 of 2 tests pass", "bad", "tests/a.py::two\n1 is not 2"]);
  });

  it("is that of one task, or of all", () => {
    const all = events(
      ["state_update", { state: "building" }],
      ["agent_state", { task: "T-1", state: "coding", attempt: 2 }],
      ["agent_state", { task: "T-2", state: "done" }],
      ["instruction", { id: "I-1", text: "Be brief", when: "next" }],
      ["instruction_used", { id: "I-1", task: "T-1" }],
    );
    expect(timeline(all, undefined, say).map(({ text }) => text)).toEqual(["building", "coding, try 2", "done", "You: Be brief"]);
    expect(timeline(all, "T-2", say).map(({ text }) => text)).toEqual(["done", "You: Be brief"]);
  });

  it("joins the pieces of a model's words and keeps their end", () => {
    const pieces = events(...Array.from({ length: 30 }, (): One => ["agent_message_chunk", { task: "T-1", text: "x".repeat(1000) }]));
    const [found] = timeline([...pieces, { ...pieces[0]!, seq: 99, data: { task: "T-1", text: "end" } }], "T-1", say);
    expect(found?.detail.length).toBe(20_000);
    expect(found?.detail.endsWith("end")).toBe(true);
  });

  it("stays within its bound, and reads whatever stands in an event", () => {
    const many = events(...Array.from({ length: 2 * MOST_ENTRIES }, (_, at): One => ["notice", { text: `${at}` }]));
    const found = timeline(many, undefined, say);
    expect([found.length, found.at(-1)?.text]).toEqual([MOST_ENTRIES, `${2 * MOST_ENTRIES - 1}`]);
    const odd = events(["test_result", { tests: "none" }], ["test_result", { tests: [null, 3, {}] }], ["unknown", {}], ["notice", {}]);
    expect(timeline(odd, undefined, say).map(({ text }) => text)).toEqual(["0 of 0 tests pass", "0 of 0 tests pass", ""]);
  });

  it("is the same for events that come one by one", () => {
    const all = events(
      ...Array.from({ length: MOST_ENTRIES }, (_, at): One => ["notice", { text: `${at}` }]),
      ["tool_call", { id: "code T-1", title: "Write the code", task: "T-1" }],
      ["agent_message_chunk", { task: "T-1", text: "a" }],
      ["agent_message_chunk", { task: "T-1", text: "b" }],
      ["tool_call_update", { id: "code T-1", status: "completed", seconds: 1 }],
    );
    const pieces = new Timeline(undefined, say);
    for (const event of all) {
      pieces.take([event]);
    }
    expect(pieces.entries).toEqual(timeline(all, undefined, say));
    expect(pieces.entries.map(({ text }) => text).slice(-2)).toEqual(["Write the code · 1.0 s", "The model's words"]);
  });

  it("tells all that a recorded run has to tell", () => {
    const protocol = readFileSync(new URL("../../agentinfra/core/events.py", import.meta.url), "utf8");
    const kinds = [...protocol.split("EventKind = Literal[")[1]!.split("]")[0]!.matchAll(/"(\w+)"/g)].map(([, kind]) => kind!);
    const silent = kinds.filter((kind) => timeline(events([kind, {}]), undefined, say).length === 0);
    expect(silent).toEqual([
      "plan_update",
      "question",
      "answer",
      "approval",
      "tool_call_update",
      "usage_update",
      "checkpoint",
      "instruction_used",
    ]);
  });
});

describe("what the page may say", () => {
  it("is little", () => {
    expect(said({ kind: "ready", more: 1 })).toEqual({ kind: "ready" });
    expect(said({ kind: "send", text: "a", when: "now" })).toEqual({ kind: "send", text: "a", when: "now" });
    for (const wrong of [undefined, null, 3, {}, { kind: "run" }, { kind: "send", text: 3, when: "now" }, { kind: "send", text: "a", when: "x" }, { kind: "send", text: "x".repeat(2001), when: "now" }]) {
      expect(said(wrong)).toBeUndefined();
    }
  });
});
