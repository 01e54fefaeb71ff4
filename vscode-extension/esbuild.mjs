// Bundles the extension, with the recorded run of its demo; --production leaves the source map out.
import { copyFile } from "node:fs/promises";
import { build } from "esbuild";

const production = process.argv.includes("--production");
await build({
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  external: ["vscode"],
  minify: production,
  sourcemap: production ? false : "linked",
  logLevel: "warning",
});
await copyFile("../tests/e2e/recordings/demo.jsonl", "dist/demo.jsonl");
await copyFile("../examples/demo_idea.md", "dist/demo_idea.md");
