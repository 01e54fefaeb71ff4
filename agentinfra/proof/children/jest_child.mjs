// The program that runs inside the sandbox: jest, whose workers run the tests, with the report written out here.
import { createRequire } from 'node:module'
import { asPattern, pathsOf, Record, takeOrder } from './record.mjs'

const order = takeOrder()
const record = new Record(order)
const settings = {
  $0: 'jest',
  _: pathsOf(order.tests).map(asPattern),
  ci: true,
  watchman: false,
  cache: false,
  color: false,
  coverage: false,
  testLocationInResults: true,
  passWithNoTests: true,
  maxWorkers: 2,
  // With it, jest never runs tests in this process.
  workerIdleMemoryLimit: '4GB',
  testTimeout: order.test_seconds * 1000,
}

const OUTCOMES = { passed: 'passed', failed: 'failed', pending: 'skipped', skipped: 'skipped', todo: 'skipped' }

function takeDown(file) {
  if (file.testExecError || (file.failureMessage && !file.testResults.length)) {
    const text = (file.testExecError?.stack ?? file.failureMessage) || 'Error: the file ended without a test'
    record.add(file.testFilePath, [], { outcome: 'error', message: withoutHeading(text) })
  }
  for (const test of file.testResults) {
    const titles = [...test.ancestorTitles, test.title]
    record.collected.push(record.id(file.testFilePath, titles))
    const outcome = test.failing && test.status === 'passed' ? 'xfailed' : (OUTCOMES[test.status] ?? 'error')
    const message = (test.failureMessages ?? []).join('\n')
    const seconds = (test.duration ?? 0) / 1000
    record.add(file.testFilePath, titles, { outcome, message, seconds, line: test.location?.line })
  }
}

/** Jest puts a bullet line above what could not be loaded. */
function withoutHeading(text) {
  return text.replace(/^\s*● .*\n\s*/, '').trimStart()
}

const require = createRequire(`${order.root}/package.json`)
const { results } = await require('jest').runCLI(settings, [order.root])
results.testResults.forEach(takeDown)
const { runExecError } = results
if (runExecError) record.add('outside all tests', [], { outcome: 'error', message: runExecError.message })
record.leave()
