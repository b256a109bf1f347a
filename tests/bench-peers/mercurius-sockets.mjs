// mercurius's subscriptions: graphql-transport-ws, its emitter in memory. The token of a socket is looked up once, when
// it opens. An event does not pass through the database. Usage: node mercurius-sockets.mjs DATABASE_URL PORT
import fastify from 'fastify'
import mercurius from 'mercurius'
import { callerFind, port } from './tenant.mjs'

const schema = `
  type Query { ready: Boolean! }
  type Mutation { announce(runId: ID!, seq: Int!): Boolean! }
  type Subscription { tenantActivity: RunFinished! }
  type RunFinished { runId: ID! seq: Int! at: String! }
`
const topic = ({ caller }) => `activity of ${caller.tenant}`
const resolvers = {
  Query: { ready: () => true },
  Mutation: {
    announce: async (_, { runId, seq }, context) => {
      const tenantActivity = { runId, seq, at: new Date().toISOString() }
      await context.pubsub.publish({ topic: topic(context), payload: { tenantActivity } })
      return true
    }
  },
  Subscription: {
    tenantActivity: { subscribe: (_, args, context) => context.pubsub.subscribe(topic(context)) }
  }
}
const app = fastify()
app.register(mercurius, {
  schema,
  resolvers,
  jit: 1,
  context: async ({ headers }) => ({ caller: await callerFind(headers.authorization) }),
  subscription: {
    onConnect: async ({ payload }) => ({ caller: await callerFind(payload?.Authorization) })
  }
})
await app.listen({ port, host: '127.0.0.1', backlog: 4096 })
