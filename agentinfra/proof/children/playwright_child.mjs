// The program that runs inside the sandbox: Playwright's test runner, whose workers run the tests.
// The report is written out here, by playwright_reporter.mjs, which the runner loads into this process.
import { existsSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { asPattern, pathsOf, Record, takeOrder } from './record.mjs'

const REPORTER = new URL('playwright_reporter.mjs', import.meta.url).pathname
const SETTINGS = ['ts', 'js', 'mts', 'mjs', 'cts', 'cjs'].map((ending) => `playwright.config.${ending}`)
const OWN_SETTINGS = 'playwright.sandbox.config.mjs'

const order = takeOrder()
new Record(order)

/** Settings that wrap the project's: the browser is the system's chromium, the only one in the sandbox. */
function settingsOver(name) {
  const imported = `import * as module from './${name}'\nconst found = module.default?.default ?? module.default`
  return `${name ? imported : 'const found = {}'}
const launch = ${JSON.stringify(order.browser ? { executablePath: order.browser } : {})}
const withBrowser = (use = {}) => ({ ...use, channel: undefined, launchOptions: { ...use.launchOptions, ...launch } })
const isChromium = ({ use = {} }) => (use.browserName ?? use.defaultBrowserType ?? 'chromium') === 'chromium'
const projects = found.projects?.filter(isChromium).map((one) => ({ ...one, use: withBrowser(one.use) }))
export default { ...found, use: withBrowser(found.use), ...(projects && { projects }) }
`
}

const name = SETTINGS.find((one) => existsSync(one))
writeFileSync(OWN_SETTINGS, settingsOver(name))
const options = ['--retries=0', '--workers=2', '--forbid-only', '--pass-with-no-tests', '--update-snapshots=none']
options.push(`--timeout=${order.test_seconds * 1000}`, `--config=${OWN_SETTINGS}`, `--reporter=${REPORTER}`)
const require = createRequire(join(order.root, 'package.json'))
const cli = join(dirname(require.resolve('@playwright/test/package.json')), 'cli.js')
process.argv = [process.argv[0], cli, 'test', ...options, ...pathsOf(order.tests).map(asPattern)]
await import(pathToFileURL(cli).href)
