// graphql-yoga on Prisma's client without its Rust engine. A token is looked up for each request; each operation of
// Prisma's runs in a transaction that sets the tenant, as Prisma's documentation does row-level security. Nested lists
// are one statement by Prisma's relation joins. Usage: node yoga.mjs DATABASE_URL PORT
import { createServer } from 'node:http'
import { PrismaPg } from '@prisma/adapter-pg'
import prismaClient from '@prisma/client'
import { createSchema, createYoga } from 'graphql-yoga'
import { callerFind, pool, port } from './tenant.mjs'

const prisma = new prismaClient.PrismaClient({ adapter: new PrismaPg(pool) })
const clients = new Map()

// Prisma for a tenant: an extension that puts each operation behind the setting. One is made for each tenant.
function prismaOf(tenant) {
  if (!clients.has(tenant)) {
    clients.set(tenant, prisma.$extends({
      query: {
        $allModels: {
          async $allOperations({ args, query }) {
            const set = prisma.$executeRaw`SELECT set_config('nyxcore.tenant_id', ${tenant}, true)`
            const [, answer] = await prisma.$transaction([set, query(args)])
            return answer
          }
        }
      }
    }))
  }
  return clients.get(tenant)
}

// What Prisma shall select of the projects below a field: the notes only if they are asked for.
function selectOf(node) {
  const select = { id: true, slug: true, name: true }
  for (const { name, arguments: values } of node?.selectionSet?.selections ?? []) {
    if (name?.value !== 'notes') continue
    const first = Number(values.find((value) => value.name.value === 'first').value.value)
    select.notes = { select: { id: true, title: true, body: true }, orderBy: { id: 'desc' }, take: first }
  }
  return select
}
const field = (node, name) => node.selectionSet.selections.find((selection) => selection.name?.value === name)

const typeDefs = `
  type Query { project(id: ID!): Project  projects(first: Int!): ProjectConnection! }
  type Mutation { createNote(input: CreateNoteInput!): CreateNotePayload! }
  input CreateNoteInput { projectId: ID! title: String! body: String! }
  type CreateNotePayload { note: Note! }
  type Project { id: ID! slug: String! name: String! notes(first: Int!): NoteConnection! }
  type ProjectConnection { nodes: [Project!]! }
  type Note { id: ID! title: String! body: String! }
  type NoteConnection { nodes: [Note!]! }
`
const resolvers = {
  Query: {
    project: (_, { id }, { db, caller }, info) => db.project.findUnique({
      where: { tenantId_id: { tenantId: caller.tenant, id } },
      select: selectOf(info.fieldNodes[0]),
      relationLoadStrategy: 'join'
    }),
    projects: async (_, { first }, { db, caller }, info) => ({
      nodes: await db.project.findMany({
        where: { tenantId: caller.tenant },
        orderBy: { id: 'desc' },
        take: first,
        select: selectOf(field(info.fieldNodes[0], 'nodes')),
        relationLoadStrategy: 'join'
      })
    })
  },
  Mutation: {
    createNote: async (_, { input }, { db, caller }) => {
      const now = new Date()
      const data = { tenantId: caller.tenant, id: crypto.randomUUID(), ...input, createdAt: now, updatedAt: now }
      return { note: await db.note.create({ data, select: { id: true, title: true, body: true } }) }
    }
  },
  Project: { notes: ({ notes }) => ({ nodes: notes }) }
}
const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  logging: false,
  graphiql: false,
  async context({ request }) {
    const caller = await callerFind(request.headers.get('authorization'))
    return { caller, db: prismaOf(caller.tenant) }
  }
})
createServer(yoga).listen(port, '127.0.0.1')
