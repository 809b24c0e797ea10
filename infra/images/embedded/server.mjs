// `node server.mjs FOLDER PORT`: TimescaleDB in WebAssembly on 127.0.0.1:PORT, its data in FOLDER.
//
// The engine has one session, so clients are served one after the other: the next one waits, up to a limit, until the
// former has gone. LCDB_ADMIN_PASSWORD in the environment becomes the password of the superuser `postgres`.

import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { Engine, literal } from './engine.mjs'
import { Reader, errorResponse, int32, message } from './protocol.mjs'
import { serve } from './session.mjs'

const LONGEST_WAIT_MS = 50_000
const LONGEST_SILENCE_MS = 5_000
const [folder, port] = process.argv.slice(2)
const log = (line) => console.log(`${new Date().toISOString()} ${line}`)
const fail = (line) => {
  log(line)
  process.exit(1)
}
if (!folder || !Number(port)) fail('usage: node server.mjs FOLDER PORT')

const engine = new Engine(folder)
const queue = []
let serving = null
let stopping = false

/** Take in a connection: read who it is, ask for the password, then let it wait for its turn. */
async function receive(socket) {
  socket.on('error', () => socket.destroy()) // a client that vanishes is no error of ours
  socket.setNoDelay(true)
  const reader = new Reader(socket)
  const startup = await reader.startup(socket)
  if (!startup) return socket.destroy()
  socket.write(message('R', int32(3)))
  const answer = await reader.message()
  if (answer?.type !== 'p') return socket.destroy()
  const client = { socket, reader, startup, password: answer.body.toString().slice(0, -1), write: writer(socket) }
  client.timer = setTimeout(() => giveUp(client), LONGEST_WAIT_MS)
  queue.push(client)
  return serveNext()
}

/** Write to a client no faster than it reads; to one that is gone, nothing. */
function writer(socket) {
  return async (bytes) => {
    if (socket.destroyed || socket.write(bytes)) return
    await new Promise((resolve) => {
      const done = () => {
        socket.off('drain', done).off('close', done)
        resolve()
      }
      socket.on('drain', done).on('close', done)
    })
  }
}

/** Make the data folder; one that was being made when the machine or we were stopped is made again. */
async function prepare() {
  if (existsSync(folder)) return
  const draft = `${folder}.draft`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { mode: 0o700, recursive: true })
  const first = new Engine(draft)
  await first.open('postgres')
  await first.close()
  renameSync(draft, folder)
}

const name = ({ startup }) => `${startup.get('user')}/${startup.get('application_name') || 'a client without a name'}`

function giveUp(client) {
  queue.splice(queue.indexOf(client), 1)
  client.socket.end(errorResponse('FATAL', '53300',
    `too many connections: the embedded server takes one at a time, and ${serving ? name(serving) : 'another'} has `
    + `held it for ${LONGEST_WAIT_MS / 1000} s`, 'Close that connection, or use the docker target.'))
}

async function serveNext() {
  if (serving || stopping || !queue.length) return
  const client = serving = queue.shift()
  clearTimeout(client.timer)
  try {
    if (!client.reader.gone) await serve(engine, client)
  } catch (error) {
    log(`${name(client)}: ${error.message}`)
  }
  client.socket.end()
  serving = null
  setImmediate(serveNext)
}

async function stop() {
  if (stopping) return
  stopping = true
  listener.close()
  setTimeout(() => fail('stopped in the middle of a statement; the write-ahead log makes the data whole'), 5000).unref()
  serving?.socket.destroy()
  while (serving) await new Promise((resolve) => setTimeout(resolve, 10))
  await engine.close()
  log('stopped')
  process.exit(0)
}

const listener = createServer((socket) => {
  receive(socket).catch((error) => {
    log(`a connection: ${error.message}`)
    socket.destroy()
  })
})
listener.on('error', (error) => fail(error.code === 'EADDRINUSE'
  ? `port ${port} is in use by another process; choose another port or end that process`
  : `cannot listen on port ${port}: ${error.message}`))
// A client that gave up while it waited may keep its socket open all the same; one that then says nothing is let go.
setInterval(() => {
  if (queue.length && serving?.silentSince && Date.now() - serving.silentSince > LONGEST_SILENCE_MS) {
    serving.socket.destroy()
  }
}, 1000).unref()
process.on('SIGTERM', stop).on('SIGINT', stop)

// The port is taken before the engine starts, so that a port in use costs nothing; clients meanwhile wait in the queue.
serving = { startup: new Map([['user', 'the start']]), socket: { destroy() {} } }
listener.listen(Number(port), '127.0.0.1', async () => {
  try {
    await prepare()
    await engine.open('postgres')
    const password = process.env.LCDB_ADMIN_PASSWORD
    if (password) await engine.ask(`ALTER ROLE postgres PASSWORD ${literal(password)}`)
    const [[version]] = await engine.ask('SHOW server_version')
    log(`ready: PostgreSQL ${version} in WebAssembly on 127.0.0.1:${port}, one connection at a time`)
    serving = null
    await serveNext()
  } catch (error) {
    fail(`cannot open the data folder: ${error.message}`)
  }
})
