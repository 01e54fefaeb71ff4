/** The page of the details: it draws what it is told, and tells what is typed. */
import "@vscode-elements/elements/dist/vscode-button/index.js";
import "@vscode-elements/elements/dist/vscode-textarea/index.js";
import type { VscodeTextarea } from "@vscode-elements/elements";
import type { Entry } from "../timeline";
import type { Said, Shown } from "./messages";

declare function acquireVsCodeApi(): {
  postMessage(message: Said): void;
  getState(): { draft: string } | undefined;
  setState(state: { draft: string }): void;
};

const api = acquireVsCodeApi();
const [head, facts, log, list, form] = ["head", "facts", "log", "entries", "form"].map((id) => document.getElementById(id)!) as [
  HTMLElement,
  HTMLElement,
  HTMLElement,
  HTMLElement,
  HTMLElement,
];
const drawn = new Map<string, { entry: string; row: HTMLElement }>();
const box = make("vscode-textarea") as VscodeTextarea;

window.addEventListener("message", ({ data }: MessageEvent<Shown>) => {
  if (data.kind === "show") {
    show(data);
  }
});
box.value = api.getState()?.draft ?? "";
box.addEventListener("input", () => api.setState({ draft: box.value }));
api.postMessage({ kind: "ready" });

function show({ title, facts: known, entries, canSend, words }: Shown): void {
  head.textContent = title || words.empty;
  facts.replaceChildren(...known.flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
  log.setAttribute("aria-label", words.timeline);
  const place = document.scrollingElement!;
  const atEnd = place.scrollTop > 0 && place.scrollHeight - place.scrollTop - place.clientHeight < 40;
  drawEntries(entries);
  if (atEnd) {
    place.scrollTop = place.scrollHeight;
  }
  form.hidden = !canSend;
  if (form.childElementCount === 0) {
    box.setAttribute("aria-label", words.message);
    box.setAttribute("placeholder", words.message);
    box.setAttribute("maxlength", "2000");
    form.append(box, button(words.next, "next"), button(words.now, "now"));
  }
}

/** Draws what is new or other than before; the rest stays, with what is unfolded in it. */
function drawEntries(entries: Entry[]): void {
  const kept = new Set(entries.map(({ key }) => key));
  for (const [key, { row }] of drawn) {
    if (!kept.has(key)) {
      row.remove();
      drawn.delete(key);
    }
  }
  for (const one of entries) {
    const entry = JSON.stringify(one);
    const before = drawn.get(one.key);
    if (before?.entry !== entry) {
      const row = rowOf(one);
      if (before === undefined) {
        list.append(row);
      } else {
        before.row.replaceWith(row);
      }
      drawn.set(one.key, { entry, row });
    }
  }
}

function rowOf({ time, icon, tone, text, detail }: Entry): HTMLElement {
  const row = make("li");
  row.className = tone;
  const sign = make("span");
  sign.className = `codicon codicon-${icon}`;
  sign.setAttribute("aria-hidden", "true");
  const clock = make("time", new Date(time * 1000).toLocaleTimeString());
  row.append(sign, clock, make("span", text));
  if (detail.includes("\n") || detail.length > 120) {
    const more = make("details");
    more.append(make("summary", detail.split("\n", 1)[0]), make("pre", detail));
    row.append(more);
  } else if (detail) {
    const more = make("span", detail);
    more.className = "detail";
    row.append(more);
  }
  return row;
}

function button(label: string, when: "next" | "now"): HTMLElement {
  const made = make("vscode-button", label);
  if (when === "now") {
    made.setAttribute("secondary", "");
  }
  made.addEventListener("click", () => {
    const text = box.value.trim();
    if (text) {
      api.postMessage({ kind: "send", text, when });
      box.value = "";
      api.setState({ draft: "" });
    }
  });
  return made;
}

/** Text is text here, never markup: it may come from a model. */
function make(name: string, text = ""): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
