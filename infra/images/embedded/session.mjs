// One client's session: login, then message by message to the engine, then everything of it is taken back.

import { createHmac, pbkdf2Sync, createHash, timingSafeEqual } from 'node:crypto'
import { EngineLost, identifier, literal } from './engine.mjs'
import { ServerError, copyIn, errorResponse, frames, int32, message, readyForQuery, status, text } from './protocol.mjs'

// A statement that starts so makes the engine read from the client, which it cannot: all the rows must be there first.
const COPY_FROM_CLIENT = /^(?:\s|--[^\n]*\n|\/\*(?:(?!\*\/).)*\*\/)*copy\s[^;]*?\sfrom\s+stdin\b/is
const COPY_BINARY = /\bbinary\b[^;]*$/i
const REPORTED = ['server_version', 'server_encoding', 'client_encoding', 'application_name', 'is_superuser',
  'session_authorization', 'DateStyle', 'IntervalStyle', 'TimeZone', 'integer_datetimes', 'standard_conforming_strings',
  'in_hot_standby', 'default_transaction_read_only']
// The engine is started with settings for its own tests; every session gets PostgreSQL's defaults (and UTC) back.
const DEFAULTS = [['search_path', '"$user", public'], ['enable_seqscan', 'on'], ['allow_system_table_mods', 'off'],
  ['log_min_messages', 'warning'], ['TimeZone', 'UTC']]
const NOT_SETTINGS = new Set(['user', 'database', 'options', 'replication'])

/** A login refused; the client sees it as FATAL. */
class Refused extends Error {
  constructor(code, said) {
    super(said)
    this.code = code
  }
}

/** Serve one client from login to farewell; leaves the engine without transaction, settings or locks of this client. */
export async function serve(engine, client) {
  let lost = false
  try {
    await login(engine, client)
    client.silentSince = Date.now()
    await converse(engine, client)
  } catch (error) {
    lost = error instanceof EngineLost
    const code = lost ? '57P02' : error.code ?? '08P01'
    const said = lost ? 'the embedded engine stopped on this statement and starts anew; '
      + 'what was committed is kept, this transaction is not' : error.message
    await client.write(errorResponse('FATAL', code, said))
    if (!(error instanceof Refused || error instanceof ServerError)) throw error
  } finally {
    if (!lost) await forget(engine).catch(() => engine.close()) // whatever is left of this client goes with the engine
  }
}

async function login(engine, { startup, password, write }) {
  const user = startup.get('user'), database = startup.get('database') ?? user
  if (!user || startup.has('replication')) throw new Refused('0A000', 'the embedded server takes plain logins only')
  await engine.open(engine.database) // anew, where the engine was lost
  await authorise(engine, user, database, password)
  await engine.open(database)
  await set(engine, [...DEFAULTS, ...await roleSettings(engine, user, database)])
  await engine.ask(`SET SESSION AUTHORIZATION ${identifier(user)}`)
  await set(engine, [...settings(startup)])
  const reported = await engine.ask(`SELECT name, current_setting(name, true)
    FROM unnest(ARRAY[${REPORTED.map(literal)}]) AS name`)
  await write(Buffer.concat([
    message('R', int32(0)),
    ...reported.map(([name, value]) => message('S', text(name), text(value ?? ''))),
    message('K', int32(process.pid), int32(0)),
    readyForQuery('I')]))
}

async function authorise(engine, user, database, password) {
  const [[canLogin, secret, expired, exists, open, allowed]] = await engine.ask(`
    SELECT r.rolcanlogin, a.rolpassword, r.rolvaliduntil < now(), d.oid IS NOT NULL, d.datallowconn,
           has_database_privilege(r.oid, d.oid, 'CONNECT')
    FROM (SELECT ${literal(user)}::text AS "user", ${literal(database)}::text AS database) AS asked
    LEFT JOIN pg_roles r ON r.rolname = asked."user" LEFT JOIN pg_authid a ON a.oid = r.oid
    LEFT JOIN pg_database d ON d.datname = asked.database`)
  if (!secret || expired === 't' || !matches(password, secret)) {
    throw new Refused('28P01', `password authentication failed for user "${user}"`)
  }
  if (canLogin !== 't') throw new Refused('28000', `role "${user}" is not permitted to log in`)
  if (exists !== 't') throw new Refused('3D000', `database "${database}" does not exist`)
  if (open !== 't') throw new Refused('55000', `database "${database}" is not currently accepting connections`)
  if (allowed !== 't') throw new Refused('42501', `permission denied for database "${database}"`)
}

/** Whether the password is the one of this SCRAM-SHA-256 verifier, as pg_authid keeps it. */
function matches(password, verifier) {
  const parts = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):/.exec(verifier)
  if (!parts) return false
  const salted = pbkdf2Sync(password.normalize('NFKC'), Buffer.from(parts[2], 'base64'), Number(parts[1]), 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  const storedKey = createHash('sha256').update(clientKey).digest()
  return timingSafeEqual(storedKey, Buffer.from(parts[3], 'base64'))
}

/** What ALTER ROLE ... SET and ALTER DATABASE ... SET ask for at login, the more specific one last. */
async function roleSettings(engine, user, database) {
  const found = await engine.ask(`
    SELECT unnest(s.setconfig) FROM pg_db_role_setting s
    LEFT JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole
    WHERE (s.setdatabase = 0 OR d.datname = ${literal(database)}) AND (s.setrole = 0 OR r.rolname = ${literal(user)})
    ORDER BY s.setrole <> 0, s.setdatabase <> 0`)
  return found.map(([setting]) => [setting.slice(0, setting.indexOf('=')), setting.slice(setting.indexOf('=') + 1)])
}

/** The settings in a StartupMessage: its own parameters, then `options`, where a backslash keeps a space. */
function* settings(startup) {
  for (const [name, value] of startup) {
    if (!NOT_SETTINGS.has(name) && !name.startsWith('_pq_.')) yield [name, value]
  }
  const words = (startup.get('options') ?? '').match(/(?:\\.|[^\s\\])+/gs) ?? []
  const plain = words.map((word) => word.replace(/\\(.)/gs, '$1')).join('\0')
  for (const [, name, value] of plain.matchAll(/(?:^|\0)(?:-c\0?|--)([^=\0]+)=([^\0]*)/g)) {
    yield [name.replaceAll('-', '_'), value]
  }
}

async function set(engine, pairs) {
  const calls = pairs.map(([name, value]) => `set_config(${literal(name)}, ${literal(value)}, false)`)
  if (calls.length) await engine.ask(`SELECT ${calls.join(', ')}`)
}

/** Carry messages until the client leaves. Those of an extended query travel together up to their Sync or Flush. */
async function converse(engine, client) {
  const { reader, write } = client
  let held = []
  for (let next; (next = await reader.message()) && next.type !== 'X';) {
    client.silentSince = null
    if (next.type === 'P' && COPY_FROM_CLIENT.test(next.body.toString().split('\0')[1])) {
      await refuseUntilSync(engine, reader, write, held)
      held = []
    } else if (next.type === 'Q' && COPY_FROM_CLIENT.test(next.body.toString())) {
      await copy(engine, reader, write, next)
    } else {
      held.push(next.raw)
      if (!'QSHF'.includes(next.type)) continue
      await write(await engine.run(Buffer.concat(held)))
      held = []
    }
  }
}

/** Take in all rows of a COPY, then give statement and rows to the engine in one piece. */
async function copy(engine, reader, write, statement) {
  await write(copyIn(COPY_BINARY.test(statement.body.toString())))
  const pieces = [statement.raw]
  for (let next; (next = await reader.message());) {
    if ('dcf'.includes(next.type)) pieces.push(next.raw)
    if (!'cf'.includes(next.type)) continue
    const answer = await engine.run(Buffer.concat(pieces))
    return write(Buffer.concat([...frames(answer)].filter(({ type }) => type !== 'G').map(({ raw }) => raw)))
  }
}

async function refuseUntilSync(engine, reader, write, held) {
  // an own error inside the engine, so that it and the client agree that the transaction has failed
  const failing = message('P', text(''), text("DO $$BEGIN RAISE feature_not_supported USING MESSAGE = 'COPY FROM STDIN "
    + "by the extended query protocol does not work on the embedded server; send it without parameters'; END$$"),
  Buffer.from([0, 0]))
  held.push(failing, message('B', text(''), text(''), Buffer.alloc(6)), message('E', text(''), int32(0)))
  for (let next; (next = await reader.message());) {
    if (next.type !== 'S') continue
    const answer = await engine.run(Buffer.concat([...held, next.raw]))
    return write(Buffer.concat([...frames(answer)].filter(({ type }) => !'12'.includes(type)).map(({ raw }) => raw)))
  }
}

async function forget(engine) {
  if (status(await engine.run(message('S'))) !== 'I') await engine.ask('ROLLBACK')
  await engine.ask('SET SESSION AUTHORIZATION postgres') // DISCARD ALL leaves the user where the engine was told one
  await engine.ask('DISCARD ALL')
}
