// The program that runs inside the sandbox: node's own test runner, one process for each file of tests.
//
// A file's process sends its results over a pipe (see node_recorder.mjs). They count if they begin with the word that
// only its recorder was given; what else comes through the pipe was written by the code under test.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathsOf, Record, takeOrder } from './record.mjs'

const RECORDER = new URL('node_recorder.mjs', import.meta.url).href
const LEFT_OUT = new Set(['node_modules', '.git'])
// What `node --test` takes for tests.
const EXTENSION = process.features.typescript ? '[cm]?[jt]s' : '[cm]?js'
const NAME = new RegExp(`(^test|^test-.+|.+[.-]test|.+_test)\\.${EXTENSION}$`)
const IN_FOLDER = new RegExp(`(^|/)test/.*\\.${EXTENSION}$`)
const TOGETHER = 2
const DRAIN_MILLISECONDS = 200
const OUTPUT_LIMIT = 16 << 20

const order = takeOrder()
const record = new Record(order)

function testFiles() {
  if (!order.tests.length) return filesBelow('')
  return pathsOf(order.tests).flatMap((path) => {
    const found = statSync(path, { throwIfNoEntry: false })
    return found?.isDirectory() ? filesBelow(path) : found ? [path] : []
  })
}

function filesBelow(folder) {
  const found = []
  for (const entry of readdirSync(folder || '.', { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !LEFT_OUT.has(entry.name)) found.push(...filesBelow(path))
    if (entry.isFile() && (NAME.test(entry.name) || IN_FOLDER.test(path))) found.push(path)
  }
  return found.sort()
}

/** Run one file; returns what came through its pipe, how it ended, and whether it had to be stopped. */
async function run(file, word) {
  const options = ['--import', RECORDER, '--test-reporter', RECORDER, '--test-reporter-destination', 'stdout']
  // Without the second, a timer that a test left behind would keep the file from ending.
  const limits = [`--test-timeout=${order.test_seconds * 1000}`, '--test-force-exit']
  const stdio = ['ignore', 'inherit', 'inherit', 'pipe']
  const child = spawn(process.execPath, [...options, ...limits, `./${file}`], { stdio })
  const pipe = child.stdio[3].setEncoding('utf8')
  let text = ''
  let stopped = false
  // A test has its own limit; this one is for loops that never let it be looked at.
  const timer = setTimeout(() => (stopped = child.kill('SIGKILL')), order.file_seconds * 1000)
  pipe.on('data', (chunk) => (text.length < OUTPUT_LIMIT ? (text += chunk) : child.kill('SIGKILL')))
  pipe.on('error', () => {}) // the child may be gone before it has read its word
  pipe.write(`${word}\n`)
  const closed = once(pipe, 'close')
  const [code, signal] = await once(child, 'exit')
  clearTimeout(timer)
  setTimeout(() => pipe.destroy(), DRAIN_MILLISECONDS) // a process that it left behind may still hold the other end
  await closed
  return { text, code, ending: signal ?? `exit code ${code}`, stopped }
}

async function takeDown(file) {
  const word = randomBytes(16).toString('hex')
  const { text, code, ending, stopped } = await run(file, word)
  const lines = text.split('\n').filter(Boolean)
  if (!lines.every((line) => line.startsWith(word)) || lines.length > 2) {
    record.forged = `${file} wrote results of its own`
    return
  }
  const said = Object.assign({}, ...lines.map((line) => JSON.parse(line.slice(word.length))))
  for (const { titles, ...how } of said.results ?? []) {
    record.collected.push(record.id(file, titles))
    record.add(file, titles, how)
  }
  const endless = stopped ? `no result after ${order.file_seconds} s: an endless loop?` : ''
  const cut = said.results ? '' : `it ended before its tests did (${ending})`
  const failed = said.results?.some(({ outcome }) => outcome === 'failed')
  const unclean = code && !failed ? `it ended with ${ending}` : ''
  const message = said.uncaught ?? ((endless || cut || unclean) && `Error: ${endless || cut || unclean}`)
  if (message) record.add(file, [], { outcome: 'error', message })
}

const files = testFiles()
await Promise.all(Array.from({ length: TOGETHER }, async () => { while (files.length) await takeDown(files.shift()) }))
record.leave()
