// What the JavaScript programs inside the sandbox share: their order, and the record of how each test ended.
// What it uses is bound here, before project code is loaded that could replace it.
import fs from 'node:fs'
import { isAbsolute, relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

const MESSAGE_LIMIT = 4000
const { readFileSync, unlinkSync, writeFileSync } = fs
const { parse, stringify } = JSON
const ENCODED = [Object, Array, String, Number, Boolean].map((type) => type.prototype)
const exit = process.exit.bind(process)

/** Read the order and delete it; then nothing in this process names the report but the caller's variables. */
export function takeOrder() {
  const file = process.argv[2]
  const order = parse(readFileSync(file, 'utf8'))
  unlinkSync(file)
  process.argv.splice(2)
  process.chdir(order.root)
  return order
}

/** A value as JSON, also where project code has told objects to describe themselves otherwise. */
export function encode(value) {
  for (const prototype of ENCODED) delete prototype.toJSON
  return stringify(value)
}

/** An error as text: one line with its name, then its stack. */
export function textOf(error) {
  if (error === null || typeof error !== 'object') return `Error: thrown ${String(error)}`
  const summary = `${error.name ?? 'Error'}: ${error.message ?? ''}`
  const stack = String(error.stack ?? '')
  const begins = stack.startsWith(error.name ?? 'Error') && stack.includes(String(error.message ?? '').split('\n')[0])
  return begins ? stack : `${summary}\n${stack}`
}

/** How each test ended, in order of running. */
export class Record {
  static #current


  constructor(order) {
    this.order = { ...order, tests: order.tests.map((one) => one.replace(/\/+$/, '')) }
    this.tests = []
    this.collected = []
    this.forged = ''
    Record.#current = this
  }

  /** The one of this process, for a reporter that the test tool loads by itself; handed out once. */
  static take() {
    const record = Record.#current
    Record.#current = undefined
    return record
  }

  /** The id of a test, `tests/a.test.js::suite::test`; of a file without titles. */
  id(file, titles = []) {
    return [this.path(file), ...titles].join('::')
  }

  /** A path relative to the project, where it lies in it. */
  path(file) {
    return isAbsolute(file) ? relative(this.order.root, file) : file
  }

  /** Record an outcome; two tests may have the same id. */
  add(file, titles, { outcome, error, message = '', seconds = 0, line }) {
    const text = error === undefined ? message : textOf(error)
    const place = this.path(file)
    this.tests.push({
      id: this.id(file, titles),
      outcome,
      message: clip(this.#plain(text)),
      seconds,
      location: line ? `${place}:${line}` : place,
    })
  }

  /** Leave the report and end the process with the exit code that the outcomes give. */
  leave() {
    const { report, tests: wanted } = this.order
    const tests = this.tests.filter((test) => isWanted(test.id, wanted))
    const failed = tests.some((test) => test.outcome === 'failed' || test.outcome === 'error')
    const code = failed ? 1 : tests.length ? 0 : 5
    const collected = this.collected.filter((id) => isWanted(id, wanted))
    writeFileSync(report, encode({ collected, tests, exit_code: code, forged: this.forged }))
    exit(code)
  }

  #plain(text) {
    const root = this.order.root
    return stripVTControlCharacters(text).replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, '')
  }
}

/** The files and folders that the wanted tests are in. */
export function pathsOf(wanted) {
  return [...new Set(wanted.map((one) => one.split('::')[0]))]
}

/** A path as a regular expression that it alone fits. */
export function asPattern(path) {
  return path.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function isWanted(id, wanted) {
  // A file that could not be loaded stands for the tests in it.
  const among = (one) => id === one || [`${one}::`, `${one}/`].some((start) => id.startsWith(start))
  return !wanted.length || wanted.some((one) => among(one) || one.startsWith(`${id}::`))
}

function clip(text) {
  const half = MESSAGE_LIMIT / 2 - 1
  return text.length <= MESSAGE_LIMIT ? text : `${text.slice(0, half)}…${text.slice(-half)}`
}
