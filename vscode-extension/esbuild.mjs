// Bundles the extension and its page, with the recorded run of its demo; --production leaves the source maps out.
import { copyFile, mkdir } from "node:fs/promises";
import { build } from "esbuild";

const production = process.argv.includes("--production");
const shared = { bundle: true, minify: production, sourcemap: production ? false : "linked", logLevel: "warning" };
await build({
  ...shared,
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  platform: "node",
  target: "node20",
  format: "cjs",
  external: ["vscode"],
});
await build({
  ...shared,
  entryPoints: ["src/webview/main.ts"],
  outfile: "dist/webview/details.js",
  platform: "browser",
  target: "es2022",
  format: "iife",
});
await mkdir("dist/webview", { recursive: true });
for (const [from, to] of [
  ["../tests/e2e/recordings/demo.jsonl", "dist/demo.jsonl"],
  ["../examples/demo_idea.md", "dist/demo_idea.md"],
  ["media/details.css", "dist/webview/details.css"],
  ["../node_modules/@vscode/codicons/dist/codicon.css", "dist/webview/codicon.css"],
  ["../node_modules/@vscode/codicons/dist/codicon.ttf", "dist/webview/codicon.ttf"],
]) {
  await copyFile(from, to);
}
