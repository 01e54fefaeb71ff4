import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPython, folderOf, install, installedPython, InstallError, type Plan, which } from "../src/serverInstall";

// The interpreter of the checkout, and the uv beside it.
const PYTHON = process.env["AGENTINFRA_TEST_PYTHON"] ?? "python3";
const UV = path.join(path.dirname(PYTHON), "uv");
const LONG = { timeout: 180_000 };

const WHEEL = `
import base64, hashlib, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    info = f"{sys.argv[2]}-1.0.dist-info"
    files = {f"{sys.argv[2]}.py": "ANSWER = 42\\n", f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {sys.argv[2]}\\nVersion: 1.0\\n",
             f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
    for name, text in files.items():
        wheel.writestr(name, text)
    wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\\n" for name in [*files, f"{info}/RECORD"]))
`;

let home: string;
const lines: string[] = [];
const report = (line: string) => void lines.push(line);
const forever = () => new AbortController().signal;

async function made(name: string, folder: string): Promise<string> {
  const file = path.join(folder, `${name}-1.0-py3-none-any.whl`);
  execFileSync(PYTHON, ["-I", "-c", WHEEL, file, name]);
  return file;
}

async function planned(changes: Partial<Plan> = {}): Promise<Plan> {
  const wheelhouse = path.join(home, "wheels");
  await mkdir(wheelhouse, { recursive: true });
  const needed = await made("needed", wheelhouse);
  const hash = createHash("sha256").update(await readFile(needed)).digest("hex");
  const requirements = path.join(home, "requirements.txt");
  await writeFile(requirements, `needed==1.0 --hash=sha256:${hash}\n`);
  const wheel = await made("ours", home);
  return { place: path.join(home, "server"), requirements, wheel, python: PYTHON, uv: undefined, wheelhouse, ...changes };
}

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "install-"));
  lines.length = 0;
});
afterEach(() => rm(home, { recursive: true, force: true }));

describe.each([
  ["pip", undefined],
  ["uv", UV],
])("an environment made by %s", (_name, uv) => {
  it("holds what is locked, and our wheel, and is found again", LONG, async () => {
    const plan = await planned({ uv });
    const python = await install(plan, report, forever());
    const said = execFileSync(python, ["-I", "-c", "import needed, ours; print(needed.ANSWER + ours.ANSWER)"]);
    expect(said.toString().trim()).toBe("84");
    expect(await installedPython(await folderOf(plan))).toBe(python);
    expect(lines.length).toBeGreaterThan(0);
  });

  it("is not made of a package with another hash, and nothing is left of it", LONG, async () => {
    const plan = await planned({ uv });
    await writeFile(plan.requirements, `needed==1.0 --hash=sha256:${"0".repeat(64)}\n`);
    await expect(install(plan, report, forever())).rejects.toThrow(InstallError);
    expect(await readdir(plan.place)).toEqual([]);
    expect(lines.join("\n")).toMatch(/hash/i);
  });

  it("is not made where a wheel is missing in the wheelhouse", LONG, async () => {
    const plan = await planned({ uv });
    await rm(path.join(plan.wheelhouse ?? "", "needed-1.0-py3-none-any.whl"));
    await expect(install(plan, report, forever())).rejects.toThrow(/needed/);
  });

  it("goes when it is cancelled", LONG, async () => {
    const plan = await planned({ uv });
    const stop = new AbortController();
    const making = install(plan, (line) => (report(line), stop.abort()), stop.signal);
    const soon = setTimeout(() => stop.abort(), 300); // venv says nothing
    await expect(making).rejects.toThrow(/abort/i);
    clearTimeout(soon);
    expect(await installedPython(await folderOf(plan))).toBeUndefined();
    expect(await readdir(plan.place)).toEqual([]);
  });
});

describe("environments of other versions", () => {
  it("tells why it failed, in whatever pieces that comes", LONG, async () => {
    const program = path.join(home, "uv");
    await writeFile(program, "#!/bin/sh\nprintf 'needed was '; sleep 0.2; echo 'not found'; exit 1\n");
    await chmod(program, 0o755);
    const plan = await planned({ uv: program });
    await expect(install(plan, report, forever())).rejects.toThrow("uv ended with 1: needed was not found");
  });

  it("go, but for the last one", LONG, async () => {
    const plan = await planned({ uv: UV });
    for (const old of ["older", "old"]) {
      await mkdir(path.join(plan.place, old), { recursive: true });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await install(plan, report, forever());
    expect(new Set(await readdir(plan.place))).toEqual(new Set(["old", path.basename(await folderOf(plan))]));
  });

  it("are not made by two windows at once", LONG, async () => {
    const plan = await planned({ uv: UV });
    await mkdir(plan.place);
    await writeFile(path.join(plan.place, "installing"), String(process.ppid));
    await expect(install(plan, report, forever())).rejects.toThrow(/Another window/);
    await writeFile(path.join(plan.place, "installing"), "999999999"); // a window that is gone
    await install(plan, report, forever());
  });
});

describe("the Python that is taken", () => {
  async function program(text: string): Promise<string> {
    const file = path.join(home, "python-of-a-test");
    await writeFile(file, `#!/bin/sh\n${text}\n`);
    await chmod(file, 0o755);
    return file;
  }

  it("is the first of a version that will do", async () => {
    expect(await findPython([path.join(home, "none"), await program("echo 3 10"), PYTHON])).toBe(PYTHON);
  });

  it("is asked for by name where none will do", async () => {
    await expect(findPython([await program("echo 3 10"), path.join(home, "none")])).rejects.toThrow(
      /3\.11 or newer .*3\.10.*not found/,
    );
  });

  it("is never looked for in a folder that depends on where one stands", async () => {
    const file = await program("echo 3 12");
    const name = path.basename(file);
    expect(await which(name, path.relative(process.cwd(), home))).toBeUndefined();
    expect(await which(name, home)).toBe(file);
    await expect(access(path.join(home, "nothing"))).rejects.toThrow();
  });
});
