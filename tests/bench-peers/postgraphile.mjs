// PostGraphile with its Amber preset, on the tables of the notes alone. A token is looked up for each request; its
// tenant is a setting of the transaction of each statement (pgSettings), so that row-level security applies.
// Usage: node postgraphile.mjs DATABASE_URL PORT
import { createServer } from 'node:http'
import { grafserv } from 'postgraphile/grafserv/node'
import { makePgService } from 'postgraphile/adaptors/pg'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { postgraphile } from 'postgraphile'
import { callerFind, databaseUrl, pool, port } from './tenant.mjs'

// PostGraphile is written for Node.js 22, which has this; on 20 every read fails without it.
Promise.withResolvers ??= function withResolvers() {
  let resolve, reject
  const promise = new this((...settle) => { [resolve, reject] = settle })
  return { promise, resolve, reject }
}

// Tables that are not asked would only make the schema larger.
const HIDE = {
  name: 'OnlyNotesPlugin',
  version: '0.0.0',
  gather: {
    hooks: {
      pgIntrospection_introspection(_info, { introspection }) {
        for (const table of introspection.classes) {
          if (table.relname !== 'projects' && table.relname !== 'notes') {
            const tags = table.getTags?.()
            if (tags) tags.behavior = ['-*']
          }
        }
      }
    }
  }
}
const pgl = postgraphile({
  extends: [PostGraphileAmberPreset],
  plugins: [HIDE],
  pgServices: [makePgService({ connectionString: databaseUrl, pool, schemas: ['public'] })],
  grafserv: { port, graphiql: false, watch: false, maxRequestLength: 100000 },
  grafast: {
    explain: false,
    async context({ node }) {
      const { tenant } = await callerFind(node?.req.headers.authorization)
      return { pgSettings: { 'nyxcore.tenant_id': tenant } }
    }
  }
})
const server = createServer()
server.on('error', (error) => { throw error })
await pgl.createServ(grafserv).addTo(server)
server.listen(port, '127.0.0.1')
