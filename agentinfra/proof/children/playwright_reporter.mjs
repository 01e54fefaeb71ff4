// Playwright's reporter: takes down how each test ended, and leaves the report when the last one has.
import { Record } from './record.mjs'

const OUTCOMES = { passed: 'passed', failed: 'failed', timedOut: 'failed', interrupted: 'error', skipped: 'skipped' }
// Where a test says that it must fail.
const EXPECTED = { failed: 'xfailed', passed: 'failed' }

export default class Reporter {
  #record = Record.take()
  #tests = []

  onBegin(config, suite) {
    this.#tests = suite.allTests()
    this.#record.collected = this.#tests.map((test) => this.#record.id(test.location.file, titlesOf(test)))
  }

  // An error outside all tests: a file that cannot be loaded, a server that does not start.
  onError(error) {
    const file = error.location?.file ?? 'outside all tests'
    this.#record.add(file, [], { outcome: 'error', message: error.stack ?? error.message ?? String(error.value) })
  }

  onEnd() {
    for (const test of this.#tests) this.#takeDown(test)
  }

  /** The runner's last call; it leaves in its place. */
  async onExit() {
    this.#record.leave()
  }

  printsToStdio() {
    return false
  }

  #takeDown(test) {
    const result = test.results.at(-1)
    if (!result) return
    const outcome = (test.expectedStatus === 'failed' && EXPECTED[result.status]) || OUTCOMES[result.status]
    const failed = outcome === 'failed' || outcome === 'error'
    const message = failed ? result.errors.map(textOf).join('\n') || 'Error: it passed, and was expected to fail' : ''
    const { file, line } = test.location
    this.#record.add(file, titlesOf(test), { outcome, message, seconds: result.duration / 1000, line })
  }
}

/** Suites and test, and the project's name where there are several. */
function titlesOf(test) {
  const [, project, , ...titles] = test.titlePath()
  if (project) titles.push(`${titles.pop()}[${project}]`)
  return titles
}

function textOf(error) {
  return error.stack ?? error.message ?? `Error: thrown ${error.value}`
}
