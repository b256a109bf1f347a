// The peer that the gateway is measured against: mercurius with its JIT and loaders on the same rows, without row-level
// security. Usage: node mercurius.mjs DATABASE_URL PORT, in a folder where its packages are installed.
import { createRequire } from 'node:module'

const require = createRequire(`${process.cwd()}/package.json`)
const fastify = require('fastify')
const mercurius = require('mercurius')
const pg = require('pg')

const [databaseUrl, port] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })
const rows = async (name, text, values) => (await pool.query({ name, text, values })).rows

const schema = `
  type Query { project(id: ID!): Project  projects(first: Int!): ProjectConnection! }
  type Project { id: ID! slug: String! name: String! notes(first: Int!): NoteConnection! }
  type ProjectConnection { nodes: [Project!]! }
  type Note { id: ID! title: String! body: String! }
  type NoteConnection { nodes: [Note!]! }
`
const resolvers = {
  Query: {
    project: async (_, { id }) =>
      (await rows('project', 'SELECT id, slug, name FROM projects WHERE id = $1', [id]))[0],
    projects: async (_, { first }) =>
      ({ nodes: await rows('projects', 'SELECT id, slug, name FROM projects ORDER BY id DESC LIMIT $1', [first]) })
  }
}
const loaders = {
  Project: {
    async notes(queries) {
      const ids = queries.map(({ obj }) => obj.id)
      const notes = await rows('notes', `
        SELECT project_id, id, title, body FROM (
          SELECT n.*, row_number() OVER (PARTITION BY project_id ORDER BY id DESC) AS place
          FROM notes n WHERE project_id = ANY($1)) numbered
        WHERE place <= $2`, [ids, queries[0].params.first])
      const byProject = new Map(ids.map((id) => [id, []]))
      for (const note of notes) byProject.get(note.project_id).push(note)
      return ids.map((id) => ({ nodes: byProject.get(id) }))
    }
  }
}
const app = fastify()
app.register(mercurius, { schema, resolvers, loaders, jit: 1 })
await app.listen({ port: Number(port), host: '127.0.0.1' })
