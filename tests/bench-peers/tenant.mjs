// What the peers share: the caller of a bearer token by one look-up, and a pool of ten connections on which a request
// reads and writes in a transaction that sets the tenant, so that row-level security applies.
import { createHash } from 'node:crypto'
import pg from 'pg'

export const [databaseUrl, port] = [process.argv[2], Number(process.argv[3])]
export const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })

// With REMEMBER_TOKENS=1 a token is looked up once and never again, also after it was revoked.
const remembered = process.env.REMEMBER_TOKENS === '1' ? new Map() : null
const TOKEN = { name: 'caller', text: 'SELECT tenant, role FROM bench.caller($1)' }

// The tenant and role of an `Authorization` header.
export async function callerFind(authorization) {
  const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1]
  if (!token) throw new Error('no bearer token')
  const known = remembered?.get(token)
  if (known) return known
  const secret = createHash('sha256').update(token).digest()
  const { rows } = await pool.query({ ...TOKEN, values: [secret] })
  if (!rows[0]) throw new Error('unknown token')
  remembered?.set(token, rows[0])
  return rows[0]
}

// Runs statements in one transaction of a tenant's: BEGIN and the setting are one round trip. Nobody waits for the end
// of one that only read.
export async function transaction({ tenant }, writes, work) {
  if (!/^[0-9a-f-]{36}$/.test(tenant)) throw new Error('not a tenant')
  const client = await pool.connect()
  try {
    await client.query(`BEGIN; SELECT set_config('nyxcore.tenant_id', '${tenant}', true)`)
    const answer = await work(async (name, text, values) => (await client.query({ name, text, values })).rows)
    const end = client.query('COMMIT').then(() => client.release(), (error) => client.release(error))
    if (writes) await end
    return answer
  } catch (error) {
    client.release(error)
    throw error
  }
}
