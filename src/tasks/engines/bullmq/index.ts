/** `errand/bullmq`: tasks of many machines, on Redis, Valkey or Postgres. */
import { needsConnection, takeFrom, toSettings, type TasksOption } from '../options.ts'
import { BULLMQ_RULES, toTarget, type BullmqOptions } from './options.ts'

export type { BullmqOptions, PostgresConnection, RedisConnection } from './options.ts'

/**
 * Tasks live in BullMQ's queues, one for each procedure, and run on whichever machine has room.
 *
 * Needs the packages `bullmq` and, on Redis or Valkey, `ioredis`; on Postgres `pg`.
 *
 * @example createApp(procedures, { module: import.meta.url, tasks: bullmq({ connection: 'redis://…' }) })
 */
export const bullmq = (options: BullmqOptions = {}): TasksOption => {
  const settings = toSettings('bullmq', options, BULLMQ_RULES)
  const target = options.connection === undefined ? undefined : toTarget(options.connection)
  const { name = 'errand', prefix = 'bull', migrate = true } = options
  const { queueLimit } = settings
  return {
    ...settings,
    multiHost: true,
    create: async () => {
      if (!target) throw needsConnection('bullmq')
      const { createEngine } = await import('./create.ts')
      return createEngine({ target, name, prefix, migrate, queueLimit })
    },
    given: options,
    configure: (outside) => {
      const all = takeFrom(outside, options, BULLMQ_RULES)
      if (all.connection === undefined) throw needsConnection('bullmq')
      return bullmq(all)
    },
  }
}
