import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";

const HOME = path.join(__dirname, "..");
const LANGUAGES = ["de", "zh-cn"];

type Texts = Record<string, string>;

const read = (file: string): Texts => JSON.parse(readFileSync(path.join(HOME, file), "utf8")) as Texts;
const placeholders = (text: string) => (text.match(/\{\d\}|\(command:[\w.]+\)|`[^`]*`/g) ?? []).sort();

/** What the source shows to people; states and decisions come from the engine. */
function shown(): string[] {
  const files = readdirSync(path.join(HOME, "src"), { recursive: true, encoding: "utf8" }).filter((one) => one.endsWith(".ts"));
  const source = files.map((file) => readFileSync(path.join(HOME, "src", file), "utf8")).join("\n");
  return [...source.matchAll(/(?:l10n\.t|\bsay)\(\s*"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text ?? "");
}

function states(): string[] {
  const core = path.join(HOME, "..", "agentinfra", "core");
  const tasks = readFileSync(path.join(core, "tasks.py"), "utf8");
  const events = readFileSync(path.join(core, "events.py"), "utf8");
  const known = [...tasks.matchAll(/^ {4}[A-Z]+ = "(\w+)"$/gm)].map(([, name]) => name ?? "");
  const runs = /RUN_STATES = \((.*)\)/.exec(events)?.[1]?.matchAll(/"(\w+)"/g) ?? [];
  const decisions = /change_resolved +task\?, decision \(((?:.|\n)*?)\), commit/.exec(events)?.[1]?.matchAll(/"(\w+)"/g) ?? [];
  return [...known, ...[...runs, ...decisions].map(([, name]) => (name ?? "").replaceAll("_", " "))];
}

describe("translations", () => {
  const english = read("l10n/bundle.l10n.json");

  it("know all that is shown, and nothing else", () => {
    expect(states().length).toBeGreaterThan(20);
    expect(Object.keys(english).sort()).toEqual([...new Set([...shown(), ...states()])].sort());
  });

  it.each(LANGUAGES)("are complete in %s, placeholders and links too", (language) => {
    for (const [base, other] of [
      ["l10n/bundle.l10n.json", `l10n/bundle.l10n.${language}.json`],
      ["package.nls.json", `package.nls.${language}.json`],
    ] as const) {
      const [texts, translated] = [read(base), read(other)];
      expect(Object.keys(translated)).toEqual(Object.keys(texts));
      for (const [key, text] of Object.entries(texts)) {
        expect(translated[key], key).toBeTruthy();
        expect(placeholders(translated[key] ?? ""), key).toEqual(placeholders(text));
      }
    }
  });

  it("are there for all that the manifest names", () => {
    const named = [...readFileSync(path.join(HOME, "package.json"), "utf8").matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key);
    expect([...new Set(named)].sort()).toEqual(Object.keys(read("package.nls.json")).sort());
  });
});
