/** What the extension and the page of the details say to each other. */
import type { Entry } from "../timeline";

export interface Shown {
  kind: "show";
  title: string;
  facts: Array<[name: string, value: string]>;
  entries: Entry[];
  /** Whether a run is at work that can be told something. */
  canSend: boolean;
  words: Record<"empty" | "message" | "next" | "now" | "timeline", string>;
}

export type Said = { kind: "ready" } | { kind: "send"; text: string; when: "next" | "now" };

/** What the page said, or undefined where it is nothing that it may say. */
export function said(message: unknown): Said | undefined {
  const { kind, text, when } = (message ?? {}) as Record<string, unknown>;
  if (kind === "ready") {
    return { kind };
  }
  if (kind === "send" && typeof text === "string" && text.length <= 2000 && (when === "next" || when === "now")) {
    return { kind, text, when };
  }
  return undefined;
}
