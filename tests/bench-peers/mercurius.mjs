// mercurius with its JIT and loaders, and statements that are written by hand. A token is looked up for each request;
// each resolver and each loader reads in a transaction that sets the tenant. Usage: node mercurius.mjs DATABASE_URL PORT
import fastify from 'fastify'
import mercurius from 'mercurius'
import { callerFind, port, transaction } from './tenant.mjs'

const schema = `
  type Query { project(id: ID!): Project  projects(first: Int!): ProjectConnection! }
  type Mutation { createNote(input: CreateNoteInput!): CreateNotePayload! }
  input CreateNoteInput { projectId: ID! title: String! body: String! }
  type CreateNotePayload { note: Note! }
  type Project { id: ID! slug: String! name: String! notes(first: Int!): NoteConnection! }
  type ProjectConnection { nodes: [Project!]! }
  type Note { id: ID! title: String! body: String! }
  type NoteConnection { nodes: [Note!]! }
`
const read = ({ caller }, name, text, values) => transaction(caller, false, (rows) => rows(name, text, values))
const resolvers = {
  Query: {
    project: async (_, { id }, context) =>
      (await read(context, 'project', 'SELECT id, slug, name FROM projects WHERE tenant_id = $1 AND id = $2',
        [context.caller.tenant, id]))[0],
    projects: async (_, { first }, context) => ({
      nodes: await read(context, 'projects',
        'SELECT id, slug, name FROM projects WHERE tenant_id = $1 ORDER BY id DESC LIMIT $2',
        [context.caller.tenant, first])
    })
  },
  Mutation: {
    createNote: (_, { input }, { caller }) => transaction(caller, true, async (rows) => {
      const [note] = await rows('create', `
        INSERT INTO notes (tenant_id, project_id, title, body) VALUES ($1, $2, $3, $4) RETURNING id, title, body`,
      [caller.tenant, input.projectId, input.title, input.body])
      return { note }
    })
  }
}
const loaders = {
  Project: {
    async notes(queries, context) {
      const ids = queries.map(({ obj }) => obj.id)
      const one = ids.length === 1
      // The page of one project is an index scan; of many, each project's notes are numbered.
      const notes = one
        ? await read(context, 'page', `
            SELECT project_id, id, title, body FROM notes WHERE tenant_id = $1 AND project_id = $2
            ORDER BY id DESC LIMIT $3`, [context.caller.tenant, ids[0], queries[0].params.first])
        : await read(context, 'notes', `
            SELECT project_id, id, title, body FROM (
              SELECT n.*, row_number() OVER (PARTITION BY project_id ORDER BY id DESC) AS place
              FROM notes n WHERE tenant_id = $1 AND project_id = ANY($2)) numbered
            WHERE place <= $3 ORDER BY project_id, place`, [context.caller.tenant, ids, queries[0].params.first])
      const byProject = new Map(ids.map((id) => [id, []]))
      for (const note of notes) byProject.get(note.project_id).push(note)
      return ids.map((id) => ({ nodes: byProject.get(id) }))
    }
  }
}
const app = fastify()
app.register(mercurius, {
  schema,
  resolvers,
  loaders,
  jit: 1,
  context: async ({ headers }) => ({ caller: await callerFind(headers.authorization) })
})
await app.listen({ port, host: '127.0.0.1' })
