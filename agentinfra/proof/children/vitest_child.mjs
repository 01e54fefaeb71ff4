// The program that runs inside the sandbox: vitest, whose workers run the tests, with the report written out here.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { pathsOf, Record, takeOrder } from './record.mjs'

const order = takeOrder()
const record = new Record(order)
const milliseconds = order.test_seconds * 1000
const settings = {
  root: order.root,
  watch: false,
  reporters: ['default'],
  pool: 'forks',
  maxWorkers: 2,
  testTimeout: milliseconds,
  hookTimeout: milliseconds,
  teardownTimeout: milliseconds,
  includeTaskLocation: true,
  passWithNoTests: true,
  allowOnly: false,
  update: false,
  retry: 0,
  bail: 0,
  cache: false,
  coverage: { enabled: false },
  ui: false,
  open: false,
}

function walk(file, task, titles, broken) {
  const own = task.result?.errors ?? []
  if (task.type === 'suite') {
    const inside = own.length ? own[0] : broken
    for (const child of task.tasks) walk(file, child, child === task ? titles : [...titles, child.name], inside)
    if (own.length && !task.tasks.length) record.add(file, titles, { outcome: 'error', error: own[0] })
    return
  }
  record.collected.push(record.id(file, titles))
  const outcome = outcomeOf(task, broken)
  const error = outcome === 'failed' ? own[0] : outcome === 'error' ? (broken ?? lost) : undefined
  const seconds = (task.result?.duration ?? 0) / 1000
  record.add(file, titles, { outcome, error, seconds, line: task.location?.line })
}

function outcomeOf(task, broken) {
  const state = task.result?.state
  if (state === 'fail') return 'failed'
  if (state === 'pass') return task.fails ? 'xfailed' : 'passed'
  if (broken) return 'error'
  return ['skip', 'todo'].includes(state ?? task.mode) ? 'skipped' : 'error'
}

function takeDown(vitest, problems) {
  const files = vitest.state.getFiles()
  for (const file of files) {
    const errors = file.result?.errors ?? []
    if (!file.tasks.length) record.add(file.filepath, [], { outcome: 'error', error: errors[0] ?? lost })
    for (const task of file.tasks) walk(file.filepath, task, [task.name], errors[0])
  }
  const known = new Set(files.map((file) => file.filepath))
  const silent = [...vitest.state.getPaths()].filter((path) => !known.has(path))
  for (const path of silent) record.add(path, [], { outcome: 'error', error: lost })
  if (problems.length && !record.tests.some((test) => ['failed', 'error'].includes(test.outcome)))
    record.add('outside all tests', [], { outcome: 'error', error: problems[0] })
}

const entry = createRequire(`${order.root}/package.json`).resolve('vitest/node')
const { startVitest } = await import(pathToFileURL(entry).href)
const vitest = await startVitest('test', pathsOf(order.tests), settings)
const problems = vitest.state.getUnhandledErrors()
const lost = problems[0] ?? new Error('it ended without a result')
takeDown(vitest, problems)
record.leave()
