/** Makes the environment that the server runs in: packages of known hashes, in a folder of the editor's own. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { createInterface } from "node:readline";

export interface Plan {
  /** Where environments lie, one for each version of what is installed. */
  place: string;
  /** Packages with their hashes. */
  requirements: string;
  /** Our own package. */
  wheel: string;
  /** A Python to make it with; undefined where uv looks for one. */
  python: string | undefined;
  /** The program uv, which is faster; undefined for Python's own tools. */
  uv: string | undefined;
  /** A folder of wheels to take instead of the package index. */
  wheelhouse: string | undefined;
}

export type Report = (line: string) => void;

export class InstallError extends Error {}

const COMPLETE = "complete";
const OLDEST: readonly [number, number] = [3, 11];

/** The folder of an environment with exactly these packages. */
export async function folderOf(plan: Pick<Plan, "place" | "requirements" | "wheel">): Promise<string> {
  const hash = createHash("sha256");
  for (const file of [plan.requirements, plan.wheel]) {
    hash.update(await readFile(file));
  }
  return path.join(plan.place, hash.digest("hex").slice(0, 16));
}

/** The environment's Python, where the environment is complete. */
export async function installedPython(folder: string): Promise<string | undefined> {
  return (await exists(path.join(folder, COMPLETE))) ? pythonIn(folder) : undefined;
}

/** Makes the environment, and removes those of other versions; what was begun is removed when it fails. */
export async function install(plan: Plan, report: Report, signal: AbortSignal): Promise<string> {
  const folder = await folderOf(plan);
  await mkdir(plan.place, { recursive: true });
  const release = await claim(path.join(plan.place, "installing"));
  try {
    await rm(folder, { recursive: true, force: true });
    for (const [program, ...words] of steps(plan, folder)) {
      await run(program, words, plan.place, report, signal);
    }
    await writeFile(path.join(folder, COMPLETE), "");
    await removeOlder(plan.place, path.basename(folder));
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    await release();
  }
  return pythonIn(folder);
}

/** Makes sure that no other window installs at the same time; one whose window is gone does not count. */
async function claim(file: string): Promise<() => Promise<void>> {
  const holder = Number(await readFile(file, "utf8").catch(() => "0"));
  if (holder > 0 && holder !== process.pid && isAlive(holder)) {
    throw new InstallError("Another window installs the server; try again when it is done.");
  }
  await writeFile(file, String(process.pid));
  return () => rm(file, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Removes all environments but this one and the one before it, which another window may still use. */
async function removeOlder(place: string, kept: string): Promise<void> {
  const others = (await readdir(place, { withFileTypes: true })).filter((one) => one.isDirectory() && one.name !== kept);
  const times = others.map(async ({ name }) => ({ name, made: (await stat(path.join(place, name))).mtimeMs }));
  const oldest = (await Promise.all(times)).sort((one, other) => other.made - one.made).slice(1);
  await Promise.all(oldest.map(({ name }) => rm(path.join(place, name), { recursive: true, force: true })));
}

/** The commands that make it, in order. */
export function steps(plan: Plan, folder: string): Array<[string, ...string[]]> {
  const python = pythonIn(folder);
  const offline = plan.wheelhouse === undefined ? [] : ["--no-index", "--find-links", plan.wheelhouse];
  if (plan.uv !== undefined) {
    const pip: [string, ...string[]] = [plan.uv, "pip", "install", "--python", python, "--no-build", ...offline];
    return [
      [plan.uv, "venv", "--no-project", "--python", plan.python ?? `>=${OLDEST.join(".")}`, folder],
      [...pip, "--require-hashes", "-r", plan.requirements],
      [...pip, "--no-deps", plan.wheel],
    ];
  }
  // Isolated, so that no file of an opened folder and no variable stands in for a module.
  const pip: [string, ...string[]] = [python, "-I", "-m", "pip", "install", "--no-input", "--only-binary", ":all:", ...offline];
  return [
    [plan.python ?? "python3", "-I", "-m", "venv", folder],
    [...pip, "--disable-pip-version-check", "--require-hashes", "-r", plan.requirements],
    [...pip, "--disable-pip-version-check", "--no-deps", plan.wheel],
  ];
}

/** The first of the candidates that is a Python of a version that will do. */
export async function findPython(candidates: readonly string[]): Promise<string> {
  const seen: string[] = [];
  for (const candidate of candidates) {
    const version = await versionOf(candidate);
    if (version !== undefined && (version[0] > OLDEST[0] || (version[0] === OLDEST[0] && version[1] >= OLDEST[1]))) {
      return candidate;
    }
    seen.push(version === undefined ? `${candidate}: not found` : `${candidate}: ${version.join(".")}`);
  }
  throw new InstallError(`The server needs Python ${OLDEST.join(".")} or newer (${seen.join(", ")}).`);
}

/** The program's path, where PATH has it. */
export async function which(program: string, searched = process.env["PATH"] ?? ""): Promise<string | undefined> {
  for (const folder of searched.split(path.delimiter)) {
    // A relative entry would find what an opened folder holds.
    if (path.isAbsolute(folder) && (await exists(path.join(folder, program)))) {
      return path.join(folder, program);
    }
  }
  return undefined;
}

async function versionOf(python: string): Promise<[number, number] | undefined> {
  let said = "";
  const words = ["-I", "-c", "import sys; print(*sys.version_info[:2])"];
  try {
    await run(python, words, process.cwd(), (line) => (said = line), AbortSignal.timeout(10_000));
  } catch {
    return undefined;
  }
  const [major = 0, minor = 0] = said.split(" ").map(Number);
  return [major, minor];
}

function run(program: string, words: string[], cwd: string, report: Report, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, UV_NO_WRAP: "1" }; // what uv says is one line
    const child = spawn(program, words, { cwd, env, signal, stdio: ["ignore", "pipe", "pipe"] });
    let last = "";
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on("line", (line) => {
        last = line.trim() || last;
        report(last);
      });
    }
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) {
        resolve();
      } else {
        reject(new InstallError(`${path.basename(program)} ended with ${code}: ${last}`));
      }
    });
  });
}

function pythonIn(folder: string): string {
  return path.join(folder, "bin", "python");
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(() => true, () => false);
}
