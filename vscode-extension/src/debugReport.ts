/** What helps to find an error, as text that its reader may hand on: in English, and without what is nobody's business. */
export interface Facts {
  /** What runs, by name: versions, the system, the server's command and state. */
  about: Record<string, string>;
  settings: Record<string, unknown>;
  log: string;
}

const MOST_LINES = 200;
const SHORTEST_SECRET = 6;
const KEY_LIKE = /\b(?:sk|pk|ghp|gho|xoxb|AKIA|Bearer)[-_ ]?[\w-]{12,}/g;

/**
 * The report.
 *
 * @param secrets - Values that must not stand in it, such as keys.
 * @param home - The person's own folder, shown as ~.
 */
export function debugReport({ about, settings, log }: Facts, secrets: readonly string[], home: string): string {
  const lines = log.trimEnd().split("\n");
  const rows = Object.entries(about).map(([name, value]) => `- ${name}: ${value || "unknown"}`);
  const text = [
    "# AgentInfra: debug information",
    "Read it before you hand it on: the log names files and says what was asked for.",
    rows.join("\n"),
    "## Settings",
    block("json", JSON.stringify(settings, undefined, 2)),
    `## The last lines of the log (${Math.min(lines.length, MOST_LINES)} of ${lines.length})`,
    block("text", lines.slice(-MOST_LINES).join("\n")),
  ].join("\n\n");
  return `${hidden(text, secrets, home)}\n`;
}

function block(language: string, text: string): string {
  return `~~~~${language}\n${text}\n~~~~`;
}

function hidden(text: string, secrets: readonly string[], home: string): string {
  const known = secrets.filter((one) => one.length >= SHORTEST_SECRET);
  const plain = known.reduce((rest, secret) => rest.replaceAll(secret, "(hidden)"), text).replace(KEY_LIKE, "(hidden)");
  return home.length > 1 ? plain.replaceAll(home, "~") : plain;
}
