// Loaded into each process of node's test runner, before the file of tests, and again as its reporter: one module.
// It sends the results over the pipe that it was given its word through; the word is read before project code runs.
import fs from 'node:fs'
import { encode, textOf } from './record.mjs'

const PIPE = 3
const { readSync, writeSync } = fs
const bytesOf = Buffer.from.bind(Buffer)
const word = readWord()
let reporting = false

// Sent also where no test was defined, so that this is told from a process that ended itself.
process.once('beforeExit', () => reporting || send({ results: [] }))
process.once('uncaughtExceptionMonitor', (error) => send({ uncaught: textOf(error) }))

function readWord() {
  const bytes = Buffer.alloc(64)
  return bytes.toString('utf8', 0, readSync(PIPE, bytes)).trim()
}

function send(message) {
  const bytes = bytesOf(`${word}${encode(message)}\n`)
  for (let sent = 0; sent < bytes.length; ) sent += writeSync(PIPE, bytes, sent)
}

/** One result of node's, as a record; nothing for a suite whose tests tell by themselves. */
function resultOf(data, titles, firstFailure) {
  const { details } = data
  const derived = details.error?.failureType === 'subtestsFailed'
  if (details.type === 'suite' && (!details.error || derived)) return undefined
  const outcome = outcomeOf(data)
  const message = outcome !== 'failed' ? '' : derived ? firstFailure : textOf(errorOf(details.error))
  return { titles, outcome, message, seconds: (details.duration_ms ?? 0) / 1000, line: data.line }
}

function outcomeOf({ details, skip, todo }) {
  if (skip !== undefined) return 'skipped'
  if (todo !== undefined) return details.error ? 'xfailed' : 'skipped'
  return details.error ? 'failed' : 'passed'
}

/** What was thrown; where that is no error, node's own words about it. */
function errorOf(error) {
  return typeof error.cause === 'object' && error.cause ? error.cause : error
}

export default async function* reporter(source) {
  reporting = true
  const results = []
  const titles = []
  let firstFailure = ''
  for await (const { type, data } of source) {
    if (type === 'test:start') titles.splice(data.nesting, Infinity, data.name)
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const result = resultOf(data, [...titles.slice(0, data.nesting), data.name], firstFailure)
    if (result?.outcome === 'failed') firstFailure ||= result.message
    if (data.nesting === 0) firstFailure = ''
    if (result) results.push(result)
  }
  send({ results })
  yield ''
}
