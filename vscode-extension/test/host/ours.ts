/** The extension under test, activated, with what it shows to tests alone. */
import * as vscode from "vscode";
import type { Inside } from "../../src/extension";

export async function ours(): Promise<Inside> {
  const inside = await extension().activate();
  if (inside === undefined) {
    throw new Error("the extension does not know that it is tested");
  }
  return inside;
}

export function extension(): vscode.Extension<Inside | undefined> {
  const found = vscode.extensions.getExtension<Inside | undefined>("agentinfra.agentinfra");
  if (found === undefined) {
    throw new Error("the extension is not there");
  }
  return found;
}

/** Wait until something is true. */
export async function until<T>(happened: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  const end = Date.now() + 60_000;
  for (;;) {
    const found = await happened();
    if (found !== undefined && found !== false) {
      return found;
    }
    if (Date.now() > end) {
      throw new Error(`it did not happen in time: ${happened}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
