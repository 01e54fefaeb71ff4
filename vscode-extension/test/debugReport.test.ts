import { describe, expect, it } from "vitest";
import { debugReport } from "../src/debugReport";

const facts = (log: string) => ({ about: { Extension: "1.2.3", Python: "" }, settings: { "agentinfra.model": "openai:x" }, log });

describe("debug information", () => {
  it("tells what runs, how it is set, and the end of the log", () => {
    const log = Array.from({ length: 300 }, (_, at) => `line ${at}`).join("\n");
    const report = debugReport(facts(`${log}\n`), [], "/home/ann");
    expect(report).toContain("- Extension: 1.2.3\n- Python: unknown");
    expect(report).toContain('"agentinfra.model": "openai:x"');
    expect(report).toContain("(200 of 300)");
    expect(report).toContain("line 100\n");
    expect(report).not.toContain("line 99\n");
  });

  it("holds neither keys nor the person's own folder", () => {
    const log = "open /home/ann/shop, key tiger-77-lily, sk-proj-abcdefgh12345678, Bearer abcdefghijklmnop and a";
    const report = debugReport(facts(log), ["tiger-77-lily", "a", ""], "/home/ann");
    expect(report).toContain("open ~/shop, key (hidden), (hidden), (hidden) and a\n");
  });

  it("leaves paths alone where there is no home", () => {
    expect(debugReport(facts("/etc/hosts"), [], "/")).toContain("\n/etc/hosts\n");
  });
});
