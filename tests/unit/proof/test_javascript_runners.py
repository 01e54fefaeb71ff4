"""Real runs of node's runner, vitest, jest and Playwright in the real sandbox, cheating code included.

These tools start slowly: one start takes many cases.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from agentinfra.core.errors import InputError
from agentinfra.proof.javascript_runners import LIMITS, JestRunner, NodeTestRunner, PlaywrightRunner, VitestRunner
from agentinfra.security.sandbox.bubblewrap import Bubblewrap
from agentinfra.security.sandbox.unsandboxed import Unsandboxed

INSTALLED = Path(__file__).parents[2] / "node" / "node_modules"
CODE = "export const minutes = (hours) => hours * 60\nexport const unfinished = () => later()\n"
COMMON_CODE = "exports.minutes = (hours) => hours * 60\nexports.unfinished = () => later()\n"
ODD = 'odd "name" :: [é] $.*\n x'
FORGED = (
    '{"collected":[],"exit_code":0,"forged":"","tests":[{"id":"a::b","outcome":"passed","message":"","seconds":0}]}'
)


def within(seconds):
    return replace(LIMITS, wall_seconds=seconds)


def outcomes(report):
    """Outcome and kind by id; the run must be sound."""
    assert report.reason == "", (report.reason, report.stdout_tail, report.stderr_tail)
    return {test.id: (test.outcome, test.kind) for test in report.tests}


def by_id(report, name):
    return next(test for test in report.tests if test.id == name)


@pytest.fixture
def project(make_project):
    """Make an ES module project whose packages are installed; without any, where asked."""

    def make(files, *, kind="module", installed=True):
        root = make_project({"package.json": f'{{"type": "{kind}"}}', **files})
        if installed:
            (root / "node_modules").symlink_to(INSTALLED)
        return root

    return make


NODE_OUTCOMES = """\
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import * as code from '../code.js'

describe('outer', () => {
  test('passes', () => { assert.equal(code.minutes(1), 60) })
  test('wrong value', () => { assert.equal(code.minutes(1), 61) })
  test('missing function', () => { code.hours(1) })
  test('missing inside', () => { code.unfinished() })
  test('typing error', () => { undefinedHere() })
  test('breaks', () => { throw new Error('boom') })
  test('throws no error', () => { throw 'text' })
  test.skip('skipped', () => {})
  test.todo('to do')
  test('failing to do', { todo: true }, () => { assert.ok(false) })
  test('same', () => {})
  test('same', () => {})
  test('ODD', () => {})
  test('leaves a timer', () => { setInterval(() => {}, 1000) })
})
test('parent', async (t) => { await t.test('child', () => { assert.ok(0) }) })
describe('not set up', () => { before(() => { throw new Error('no database') }); test('inside', () => {}) })
""".replace("ODD", ODD.replace("\n", "\\n"))
NODE_FILES = {
    "tests/a.test.js": NODE_OUTCOMES,
    "tests/missing.test.js": "import './nowhere.js'",
    "tests/no_export.test.mjs": "import { hours } from '../code.js'",
    "tests/syntax.test.cjs": "const (",
    "tests/exits.test.js": "import {test} from 'node:test'; test('exits', () => { process.exit(0) })",
    "tests/exits_early.test.js": "process.exit(0)",
    "tests/killed.test.js": "process.kill(process.pid, 'SIGKILL')",
    "tests/spins.test.js": "import {test} from 'node:test'; test('spins', () => { for (;;); })",
    "tests/late.test.js": "import {test} from 'node:test'; test('one', () => {}); process.exitCode = 3",
    "tests/prints.test.js": "import {test} from 'node:test'; test('no', () => { console.log('ok 1'); throw 1 })",
    "test/fixture.js": "export const nothing = 1",
    "code.js": CODE,
}
NODE_EXPECTED = {
    "tests/a.test.js::outer::passes": ("passed", ""),
    "tests/a.test.js::outer::wrong value": ("failed", "assertion"),
    "tests/a.test.js::outer::missing function": ("failed", "missing"),
    "tests/a.test.js::outer::missing inside": ("failed", "missing"),
    "tests/a.test.js::outer::typing error": ("failed", "broken"),
    "tests/a.test.js::outer::breaks": ("failed", "broken"),
    "tests/a.test.js::outer::throws no error": ("failed", "broken"),
    "tests/a.test.js::outer::skipped": ("skipped", ""),
    "tests/a.test.js::outer::to do": ("skipped", ""),
    "tests/a.test.js::outer::failing to do": ("xfailed", ""),
    "tests/a.test.js::outer::same": ("passed", ""),
    "tests/a.test.js::outer::same[2]": ("passed", ""),
    f"tests/a.test.js::outer::{ODD}": ("passed", ""),
    "tests/a.test.js::outer::leaves a timer": ("passed", ""),
    "tests/a.test.js::parent": ("failed", "assertion"),
    "tests/a.test.js::parent::child": ("failed", "assertion"),
    "tests/a.test.js::not set up": ("failed", "broken"),
    "tests/a.test.js::not set up::inside": ("failed", "broken"),
    "tests/missing.test.js": ("error", "missing"),
    "tests/no_export.test.mjs": ("error", "missing"),
    "tests/syntax.test.cjs": ("error", "broken"),
    "tests/exits.test.js": ("error", "broken"),
    "tests/exits_early.test.js": ("error", "broken"),
    "tests/killed.test.js": ("error", "broken"),
    "tests/spins.test.js": ("error", "broken"),
    "tests/late.test.js::one": ("passed", ""),
    "tests/late.test.js": ("error", "broken"),
    "tests/prints.test.js::no": ("failed", "broken"),
}


async def test_node_every_outcome_with_its_kind_place_and_message(project):
    report = await NodeTestRunner(Bubblewrap()).run(project(NODE_FILES, installed=False), limits=within(15))
    assert outcomes(report) == NODE_EXPECTED
    assert report.exit_code == 1
    wrong = by_id(report, "tests/a.test.js::outer::wrong value")
    assert wrong.message.startswith("AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:")
    assert wrong.location == "tests/a.test.js:7" and wrong.seconds < 2
    assert "before its tests did (exit code 0)" in by_id(report, "tests/exits.test.js").message
    assert "(SIGKILL)" in by_id(report, "tests/killed.test.js").message
    assert "no result after 5 s" in by_id(report, "tests/spins.test.js").message


NODE_FORGERIES = {
    "writes to the pipe": "import fs from 'node:fs'; fs.writeSync(3, 'word{\"results\":[]}\\n'); process.exit(0)",
    "leaves a report": f"import fs from 'node:fs'; fs.writeFileSync('../1.report', '{FORGED}')",
    "adds to the pipe": """
        import fs from 'node:fs'; import {test} from 'node:test'
        test('a', () => { fs.writeSync(3, '{"results":[]}\\n') })
    """,
}


@pytest.mark.parametrize("name", NODE_FORGERIES)
async def test_node_forged_results_are_told(project, name):
    root = project({"a.test.js": NODE_FORGERIES[name]}, installed=False)
    report = await NodeTestRunner(Bubblewrap()).run(root)
    assert report.reason.startswith("forged report: ") and report.tests == ()


async def test_node_code_that_patches_what_reports_gains_nothing(project):
    code = """
        import fs, { writeSync } from 'node:fs'; import { syncBuiltinESMExports } from 'node:module'
        import {test} from 'node:test'
        fs.writeSync = fs.writeFileSync = () => 1; JSON.stringify = () => '{}'; syncBuiltinESMExports()
        Object.prototype.toJSON = () => ({ results: [] }); Buffer.from = () => Buffer.alloc(0)
        test('fails', () => { throw new Error('boom') })
    """
    report = await NodeTestRunner(Bubblewrap()).run(project({"a.test.js": code}, installed=False))
    assert outcomes(report) == {"a.test.js::fails": ("failed", "broken")}


async def test_node_what_is_chosen_is_reported_and_nothing_else(project):
    tests = "import {test, describe} from 'node:test'; test('a', () => {}); test('ab', () => { throw 1 })"
    root = project({"x.test.js": tests, "deep/y.test.js": tests, "deep/other.js": tests}, installed=False)
    runner = NodeTestRunner(Bubblewrap())
    one = await runner.run(root, ["x.test.js::a"], expected=1)
    assert one.all_passed and list(outcomes(one)) == ["x.test.js::a"]
    assert list(outcomes(await runner.run(root, ["deep/"]))) == ["deep/y.test.js::a", "deep/y.test.js::ab"]
    assert len((await runner.run(root, ["deep/other.js"])).tests) == 2
    assert (await runner.run(root, ["x.test.js::a"], expected=2)).reason.startswith("forged report: 1 tests")
    none = await runner.run(root, ["gone.test.js"])
    assert (none.tests, none.exit_code, none.reason) == ((), 5, "")


async def test_node_an_overlay_counts_and_the_folder_stays(project):
    root = project({"a.test.js": "import './code.js'", "code.js": "process.exit(1)"}, installed=False)
    before = sorted(root.rglob("*"))
    test = "import {test} from 'node:test'; import './code.js'; test('a', () => {})"
    assert (await NodeTestRunner(Bubblewrap()).run(root, overlay={"a.test.js": test, "code.js": ""})).all_passed
    assert sorted(root.rglob("*")) == before


async def test_node_without_a_sandbox_the_report_is_the_same(project):
    test = "import {test} from 'node:test'; test('a', () => { throw new Error('x') }); test('b', () => {})"
    root = project({"a.test.js": test}, installed=False)
    unsandboxed = await NodeTestRunner(Unsandboxed()).run(root)
    sandboxed = await NodeTestRunner(Bubblewrap()).run(root)
    assert [(test.id, test.message, test.kind) for test in unsandboxed.tests] == [
        (test.id, test.message, test.kind) for test in sandboxed.tests
    ]


VITEST_OUTCOMES = """\
import { beforeAll, describe, expect, test } from 'vitest'
import * as code from '../code.js'
import { base } from '@/alias.js'

describe('outer', () => {
  test('passes', () => { expect(code.minutes(base)).toBe(60) })
  test('wrong value', () => { expect(code.minutes(1)).toBe(61) })
  test('missing function', () => { code.hours(1) })
  test('missing inside', () => { code.unfinished() })
  test('typing error', () => { undefinedHere() })
  test('breaks', () => { throw new Error('boom') })
  test.skip('skipped', () => {})
  test.todo('to do')
  test.fails('expected', () => { expect(1).toBe(2) })
  test('same', () => {})
  test('same', () => {})
  test('ODD', () => {})
  test('never ends', () => new Promise(() => {}))
})
describe('not set up', () => { beforeAll(() => { throw new Error('no database') }); test('inside', () => {}) })
""".replace("ODD", ODD.replace("\n", "\\n"))
VITEST_SETTINGS = """
import { fileURLToPath } from 'node:url'
export default { resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } }, test: { retry: 3 } }
"""


async def test_vitest_every_outcome_with_its_kind_place_and_message(project):
    files = {
        "vitest.config.ts": VITEST_SETTINGS,
        "src/alias.js": "export const base = 1",
        "tests/a.test.js": VITEST_OUTCOMES,
        "tests/missing.test.js": "import './nowhere.js'",
        "tests/syntax.test.js": "const (",
        "tests/empty.test.js": "export {}",
        "tests/exits.test.js": "import {test} from 'vitest'; test('exits', () => { process.exit(0) })",
        "tests/dies.test.js": "import {test} from 'vitest'; test('dies', () => { process.reallyExit(0) })",
        "tests/only.test.js": "import {test} from 'vitest'; test.only('one', () => {}); test('two', () => {})",
        "tests/prints.test.js": "import {test} from 'vitest'; test('no', () => { console.log('1 passed'); throw 1 })",
        "code.js": CODE,
    }
    report = await VitestRunner(Bubblewrap()).run(project(files), limits=within(16))
    assert outcomes(report) == {
        "tests/a.test.js::outer::passes": ("passed", ""),
        "tests/a.test.js::outer::wrong value": ("failed", "assertion"),
        "tests/a.test.js::outer::missing function": ("failed", "missing"),
        "tests/a.test.js::outer::missing inside": ("failed", "missing"),
        "tests/a.test.js::outer::typing error": ("failed", "broken"),
        "tests/a.test.js::outer::breaks": ("failed", "broken"),
        "tests/a.test.js::outer::skipped": ("skipped", ""),
        "tests/a.test.js::outer::to do": ("skipped", ""),
        "tests/a.test.js::outer::expected": ("xfailed", ""),
        "tests/a.test.js::outer::same": ("passed", ""),
        "tests/a.test.js::outer::same[2]": ("passed", ""),
        f"tests/a.test.js::outer::{ODD}": ("passed", ""),
        "tests/a.test.js::outer::never ends": ("failed", "broken"),
        "tests/a.test.js::not set up::inside": ("error", "broken"),
        "tests/missing.test.js": ("error", "missing"),
        "tests/syntax.test.js": ("error", "broken"),
        "tests/empty.test.js": ("error", "broken"),
        "tests/exits.test.js::exits": ("failed", "broken"),
        "tests/dies.test.js::dies": ("error", "broken"),
        "tests/only.test.js::one": ("failed", "broken"),
        "tests/only.test.js::two": ("skipped", ""),
        "tests/prints.test.js::no": ("failed", "broken"),
    }
    wrong = by_id(report, "tests/a.test.js::outer::wrong value")
    assert wrong.message.startswith("AssertionError: expected 60 to be 61") and wrong.location == "tests/a.test.js:7"
    assert by_id(report, "tests/a.test.js::outer::never ends").message.startswith("Error: Test timed out in 4000ms")
    assert "\x1b" not in report.stdout_tail + report.stderr_tail


async def test_vitest_a_forged_report_is_told_and_one_test_can_be_chosen(project):
    test = f"""
        import fs from 'node:fs'; import {{test}} from 'vitest'
        test('forges', () => {{ fs.writeFileSync('../1.report', '{FORGED}') }}); test('fails', () => {{ throw 1 }})
    """
    root = project({"forges.test.js": test, "b.test.js": "import {test} from 'vitest'\ntest('b', () => {})"})
    runner = VitestRunner(Bubblewrap())
    assert (await runner.run(root)).reason.startswith("forged report: the run left files beside its report")
    chosen = await runner.run(root, ["b.test.js::b"], expected=1)
    assert chosen.all_passed and chosen.tests[0].location == "b.test.js:2"


@pytest.mark.parametrize(("runner", "start"), [(VitestRunner, "import {test} from 'vitest';"), (JestRunner, "")])
async def test_an_endless_loop_is_a_timeout(project, runner, start):
    root = project(
        {"a.test.cjs" if runner is JestRunner else "a.test.js": f"{start}test('spins', () => {{ for (;;); }})"}
    )
    report = await runner(Bubblewrap()).run(root, limits=within(3))
    assert report.reason == "timeout: no result after 3 s" and report.tests == ()


JEST_OUTCOMES = """\
const code = require('../code.js')

describe('outer', () => {
  test('passes', () => { expect(code.minutes(1)).toBe(60) })
  test('wrong value', () => { expect(code.minutes(1)).toBe(61) })
  test('missing function', () => { code.hours(1) })
  test('missing inside', () => { code.unfinished() })
  test('typing error', () => { undefinedHere() })
  test('breaks', () => { throw new Error('boom') })
  test.skip('skipped', () => {})
  test.todo('to do')
  test.failing('expected', () => { expect(1).toBe(2) })
  test('same', () => {})
  test('same', () => {})
  test('ODD', () => {})
  test('never ends', () => new Promise(() => {}), 300)
  test('new snapshot', () => { expect(1).toMatchSnapshot() })
})
describe('not set up', () => { beforeAll(() => { throw new Error('no database') }); test('inside', () => {}) })
""".replace("ODD", ODD.replace("\n", "\\n"))


async def test_jest_every_outcome_with_its_kind_place_and_message(project):
    files = {
        "jest.config.js": "module.exports = { testMatch: ['**/*.check.js', '**/*.check.mjs'] }",
        "tests/a.check.js": JEST_OUTCOMES,
        "tests/missing.check.js": "require('./nowhere.js')",
        "tests/syntax.check.js": "const (",
        "tests/empty.check.js": "",
        "tests/module.check.mjs": "import fs from 'node:fs'; test('is a module', () => { expect(fs).toBeTruthy() })",
        "tests/exits.check.js": "test('exits', () => { process.exit(0) })",
        "tests/dies.check.js": "process.reallyExit(0)",
        "tests/prints.check.js": "test('no', () => { console.log('Tests: 1 passed'); throw new Error('expected 1') })",
        "code.js": COMMON_CODE,
    }
    report = await JestRunner(Bubblewrap()).run(project(files, kind="commonjs"))
    assert outcomes(report) == {
        "tests/a.check.js::outer::passes": ("passed", ""),
        "tests/a.check.js::outer::wrong value": ("failed", "assertion"),
        "tests/a.check.js::outer::missing function": ("failed", "missing"),
        "tests/a.check.js::outer::missing inside": ("failed", "missing"),
        "tests/a.check.js::outer::typing error": ("failed", "broken"),
        "tests/a.check.js::outer::breaks": ("failed", "broken"),
        "tests/a.check.js::outer::skipped": ("skipped", ""),
        "tests/a.check.js::outer::to do": ("skipped", ""),
        "tests/a.check.js::outer::expected": ("xfailed", ""),
        "tests/a.check.js::outer::same": ("passed", ""),
        "tests/a.check.js::outer::same[2]": ("passed", ""),
        f"tests/a.check.js::outer::{ODD}": ("passed", ""),
        "tests/a.check.js::outer::never ends": ("failed", "broken"),
        "tests/a.check.js::outer::new snapshot": ("failed", "assertion"),
        "tests/a.check.js::not set up::inside": ("failed", "broken"),
        "tests/missing.check.js": ("error", "missing"),
        "tests/syntax.check.js": ("error", "broken"),
        "tests/empty.check.js": ("error", "broken"),
        "tests/module.check.mjs::is a module": ("passed", ""),
        "tests/exits.check.js": ("error", "broken"),
        "tests/dies.check.js": ("error", "broken"),
        "tests/prints.check.js::no": ("failed", "broken"),
    }
    wrong = by_id(report, "tests/a.check.js::outer::wrong value")
    assert wrong.message.startswith("Error: expect(received).toBe(expected)") and wrong.location == "tests/a.check.js:5"


async def test_jest_a_forged_report_is_told_and_one_test_can_be_chosen(project):
    forging = f"""
        require('node:fs').writeFileSync('../1.report', '{FORGED}')
        test('forges', () => {{}})
    """
    root = project(
        {"forges.test.js": forging, "b.test.js": "test('a', () => {})\ntest('b', () => { throw 1 })"}, kind="commonjs"
    )
    runner = JestRunner(Bubblewrap())
    assert (await runner.run(root)).reason.startswith("forged report: the run left files beside its report")
    chosen = await runner.run(root, ["b.test.js::a"], expected=1)
    assert chosen.all_passed and chosen.tests[0].location == "b.test.js:1"


SERVER = """
import http from 'node:http'
const page = '<h1>Hello</h1><button onclick="this.textContent = 1">0</button>'
http.createServer((_, reply) => reply.setHeader('content-type', 'text/html').end(page)).listen(4173, '127.0.0.1')
"""
PLAYWRIGHT_SETTINGS = """
import { defineConfig, devices } from '@playwright/test'
const url: string = 'http://127.0.0.1:4173'
export default defineConfig({
  testDir: './tests', retries: 3, webServer: { command: 'node server.mjs', url }, use: { baseURL: url },
  projects: [
    { name: 'desk', use: { ...devices['Desktop Chrome'] } },
    { name: 'other', use: { ...devices['Desktop Firefox'] } },
  ],
})
"""
PLAYWRIGHT_OUTCOMES = """\
import { expect, test } from '@playwright/test'
import { minutes } from '../code'

test.describe('outer', () => {
  test('passes', async ({ page }) => {
    await page.goto('/')
    await page.getByRole('button').click()
    await expect(page.getByRole('button')).toHaveText('1')
  })
  test('wrong text', async ({ page }) => {
    await page.goto('/')
    await expect(page.locator('h1')).toHaveText('Bye', { timeout: 100 })
  })
  test('missing element', async ({ page }) => {
    await page.goto('/')
    await page.locator('#none').click({ timeout: 100 })
  })
  test('never ends', async () => { test.setTimeout(300); await new Promise(() => {}) })
  test('ODD', () => { expect(minutes(1)).toBe(60) })
  test.skip('skipped', () => {})
  test('expected', () => { test.fail(); expect(1).toBe(2) })
  test('unexpected', () => { test.fail() })
  test('exits', () => { process.exit(0) })
})
""".replace("ODD", ODD.replace("\n", "\\n"))


async def test_playwright_every_outcome_with_its_kind_place_and_message(project):
    files = {
        "playwright.config.ts": PLAYWRIGHT_SETTINGS,
        "server.mjs": SERVER,
        "tests/a.spec.ts": PLAYWRIGHT_OUTCOMES,
        "code.ts": "export const minutes = (hours: number) => hours * 60",
    }
    report = await PlaywrightRunner(Bubblewrap()).run(project(files))
    assert outcomes(report) == {
        "tests/a.spec.ts::outer::passes[desk]": ("passed", ""),
        "tests/a.spec.ts::outer::wrong text[desk]": ("failed", "assertion"),
        "tests/a.spec.ts::outer::missing element[desk]": ("failed", "missing"),
        "tests/a.spec.ts::outer::never ends[desk]": ("failed", "broken"),
        f"tests/a.spec.ts::outer::{ODD}[desk]": ("passed", ""),
        "tests/a.spec.ts::outer::skipped[desk]": ("skipped", ""),
        "tests/a.spec.ts::outer::expected[desk]": ("xfailed", ""),
        "tests/a.spec.ts::outer::unexpected[desk]": ("failed", "broken"),
        "tests/a.spec.ts::outer::exits[desk]": ("failed", "broken"),
    }
    wrong = by_id(report, "tests/a.spec.ts::outer::wrong text[desk]")
    assert wrong.message.startswith("Error: expect(locator).toHaveText(expected) failed")
    assert wrong.location == "tests/a.spec.ts:10"


PLAYWRIGHT_CASES = {
    "exits at import": ("process.exit(0)", "no report", {}),
    "forges": (
        f"require('fs').writeFileSync('../1.report', '{FORGED}'); require('@playwright/test').test('a', () => {{}})",
        "forged report",
        {},
    ),
    "patches what reports": (
        """
        const { test } = require('@playwright/test'); const fs = require('fs')
        fs.writeFileSync = () => {}; JSON.stringify = () => '{}'; require('module').syncBuiltinESMExports()
        test('a', () => { throw new Error('boom') })
        """,
        "",
        {"a.spec.js::a": ("failed", "broken")},
    ),
}


async def test_playwright_every_file_that_cannot_be_loaded_is_named(project):
    files = {
        "missing.spec.js": "import './nowhere'",
        "syntax.spec.js": "const (",
        "only.spec.js": "const { test } = require('@playwright/test'); test.only('a', () => {})",
    }
    report = await PlaywrightRunner(Bubblewrap()).run(project(files, kind="commonjs"))
    assert outcomes(report) == {
        "missing.spec.js": ("error", "missing"),
        "syntax.spec.js": ("error", "broken"),
        "only.spec.js": ("error", "broken"),
    }


@pytest.mark.parametrize("name", PLAYWRIGHT_CASES)
async def test_playwright_files_that_cannot_be_judged_are_told_apart(project, name):
    test, reason, expected = PLAYWRIGHT_CASES[name]
    report = await PlaywrightRunner(Bubblewrap()).run(project({"a.spec.js": test}, kind="commonjs"))
    assert report.reason.partition(":")[0] == reason
    assert reason or outcomes(report) == expected


@pytest.mark.parametrize("key", ["jest", "babel"])
async def test_settings_that_tasks_can_edit_prove_nothing(project, key):
    root = project({"package.json": f'{{"{key}": {{}}}}', "a.test.js": "test('a', () => {})"})
    report = await JestRunner(Bubblewrap()).run(root)
    assert report.reason.startswith("settings: package.json, which tasks edit, has settings of the tests")
    assert not report.all_passed


async def test_a_tool_that_is_not_installed_is_named(project):
    with pytest.raises(InputError, match="vitest is not installed"):
        await VitestRunner(Bubblewrap()).run(project({}, installed=False))


async def test_packages_can_lie_elsewhere(project):
    root = project({"a.test.js": "import {test} from 'vitest'; test('a', () => {})"}, installed=False)
    assert (await VitestRunner(Bubblewrap(), modules=INSTALLED).run(root)).all_passed
