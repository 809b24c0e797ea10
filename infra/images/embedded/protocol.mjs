// The PostgreSQL wire protocol, as far as a front needs it: frames in, frames out, and the few messages it says itself.

const SSL_REQUEST = 80877103, GSS_REQUEST = 80877104, CANCEL_REQUEST = 80877102
const AHEAD = 1 << 20
const LONGEST = 1 << 30 // PostgreSQL's own limit for one message

/** Reads whole messages from a socket; lets the client send ahead by about `AHEAD` bytes, no more. */
export class Reader {
  #chunks = []
  #length = 0
  #wake = () => {}
  #socket
  gone = false

  constructor(socket) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk)
      this.#length += chunk.length
      if (this.#length > AHEAD) socket.pause()
      this.#wake()
    })
    const leave = () => {
      this.gone = true
      this.#wake()
    }
    socket.on('end', leave).on('close', leave)
  }

  /** The client's StartupMessage as a Map, after its requests for encryption were declined; null if none comes. */
  async startup(socket) {
    for (;;) {
      const head = await this.#take(8)
      if (!head) return null
      const length = head.readInt32BE(0), code = head.readInt32BE(4)
      if (code === SSL_REQUEST || code === GSS_REQUEST) {
        socket.write('N')
        continue
      }
      if (code === CANCEL_REQUEST || code >> 16 !== 3 || length < 8 || length > 10000) return null
      const body = await this.#take(length - 8)
      if (!body) return null
      const words = body.toString().split('\0')
      const startup = new Map()
      for (let i = 0; i + 1 < words.length && words[i]; i += 2) startup.set(words[i], words[i + 1])
      return startup
    }
  }

  /** The next message {type, body, raw}, or null once the client is gone. */
  async message() {
    const head = await this.#take(5)
    if (!head) return null
    const length = head.readInt32BE(1)
    if (length < 4 || length > LONGEST) return null
    const body = await this.#take(length - 4)
    return body && { type: String.fromCharCode(head[0]), body, raw: Buffer.concat([head, body]) }
  }

  async #take(wanted) {
    while (this.#length < wanted) {
      if (this.gone) return null
      this.#socket.resume()
      await new Promise((resolve) => {
        this.#wake = resolve
      })
    }
    const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks)
    this.#chunks = [all.subarray(wanted)]
    this.#length -= wanted
    return all.subarray(0, wanted)
  }
}

export const text = (value) => Buffer.from(`${value}\0`)

export const int32 = (value) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function message(type, ...parts) {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

export const query = (sql) => message('Q', text(sql))
export const readyForQuery = (status) => message('Z', Buffer.from(status))

/** An error as the server says it; severity FATAL means that the connection ends with it. */
export function errorResponse(severity, code, said, hint) {
  const fields = { S: severity, V: severity, C: code, M: said, ...(hint && { H: hint }) }
  return message('E', ...Object.entries(fields).map(([key, value]) => text(key + value)), Buffer.from([0]))
}

/** CopyInResponse that leaves the columns unsaid: the engine has not looked at the table yet. */
export const copyIn = (binary) => message('G', Buffer.from([binary ? 1 : 0, 0, 0]))

/** The messages in an answer of the engine, each {type, body, raw}. */
export function* frames(bytes) {
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + bytes.readInt32BE(at + 1)
    yield { type: String.fromCharCode(bytes[at]), body: bytes.subarray(at + 5, end), raw: bytes.subarray(at, end) }
    at = end
  }
}

/** The transaction status that an answer ends with: I (idle), T (in a transaction), E (failed); undefined if unsaid. */
export function status(bytes) {
  let found
  for (const { type, body } of frames(bytes)) if (type === 'Z') found = String.fromCharCode(body[0])
  return found
}

/** The rows in an answer, values as text or null; throws ServerError where the answer is an error. */
export function rows(bytes) {
  const found = []
  for (const { type, body } of frames(bytes)) {
    if (type === 'E') throw new ServerError(body)
    if (type === 'D') found.push(row(body))
  }
  return found
}

function row(body) {
  const values = []
  let at = 2
  for (let left = body.readInt16BE(0); left > 0; left--) {
    const length = body.readInt32BE(at)
    values.push(length < 0 ? null : body.toString('utf8', at + 4, at + 4 + length))
    at += 4 + Math.max(length, 0)
  }
  return values
}

/** An error of the server's, with its SQLSTATE. */
export class ServerError extends Error {
  constructor(body) {
    const fields = Object.fromEntries(body.toString().split('\0').filter(Boolean).map((f) => [f[0], f.slice(1)]))
    super(fields.M)
    this.code = fields.C
  }
}
