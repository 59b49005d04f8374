/** A small resource in memory, at REST paths of its own and with a typed error. */
import { procedure } from 'errand'
import { z } from 'zod'

const User = z
  .object({
    id: z.uuid(),
    name: z.string().min(1).max(100),
    email: z.email(),
    // A Date for the handler, text on the wire.
    createdAt: z.codec(z.iso.datetime(), z.date(), {
      decode: (text) => new Date(text),
      encode: (date) => date.toISOString(),
    }),
  })
  .meta({ id: 'User', description: 'Somebody who may greet.' })

const NewUser = User.pick({ name: true, email: true }).meta({ id: 'NewUser' })
const ById = z.object({ id: z.uuid() })

const NOT_FOUND = { status: 404, message: 'No such user', data: z.object({ id: z.uuid() }) }

const known = new Map<string, z.output<typeof User>>()

export const create = procedure.mutation({
  input: NewUser,
  output: User,
  meta: { summary: 'Create a user', rest: { method: 'POST', path: '/users', status: 201 } },
  handler: ({ input }) => {
    const user = { id: crypto.randomUUID(), ...input, createdAt: new Date() }
    known.set(user.id, user)
    return user
  },
})

export const get = procedure.query({
  input: ById,
  output: User,
  errors: { NOT_FOUND },
  meta: { summary: 'Get a user', rest: { method: 'GET', path: '/users/{id}' } },
  handler: ({ input, errors }) => {
    const user = known.get(input.id)
    if (!user) throw errors.NOT_FOUND({ id: input.id })
    return user
  },
})

export const list = procedure.query({
  input: z.object({ limit: z.int().min(1).max(100).default(20) }),
  output: z.array(User),
  meta: { summary: 'List users', rest: { method: 'GET', path: '/users' } },
  handler: ({ input }) => [...known.values()].slice(0, input.limit),
})

export const remove = procedure.mutation({
  input: ById,
  output: z.void(),
  errors: { NOT_FOUND },
  meta: { summary: 'Remove a user', rest: { method: 'DELETE', path: '/users/{id}' } },
  handler: ({ input, errors }) => {
    if (!known.delete(input.id)) throw errors.NOT_FOUND({ id: input.id })
  },
})
