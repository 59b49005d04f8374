/** What a Redis server does with what it acknowledged, as far as it tells. */
import type { StoreCapabilities } from '../../store.ts'
import type { RedisClient } from './client.ts'

/** The settings that matter; undefined where the server does not tell. */
export interface RedisSettings {
  readonly appendonly?: string | undefined
  readonly appendfsync?: string | undefined
  readonly 'no-appendfsync-on-rewrite'?: string | undefined
  readonly save?: string | undefined
  readonly 'maxmemory-policy'?: string | undefined
}

const WANTED: readonly (keyof RedisSettings)[] = [
  'appendonly',
  'appendfsync',
  'no-appendfsync-on-rewrite',
  'save',
  'maxmemory-policy',
]

/** Hosted servers often refuse CONFIG; INFO tells part of it. */
export const readSettings = async (client: RedisClient): Promise<RedisSettings> => {
  try {
    return await client.configGet(WANTED)
  } catch {
    const info = await Promise.all(['persistence', 'memory'].map((section) => client.info(section)))
    const read = (name: string): string | undefined =>
      new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info.join('\n'))?.[1]
    const aof = read('aof_enabled')
    return {
      appendonly: aof === undefined ? undefined : aof === '1' ? 'yes' : 'no',
      'maxmemory-policy': read('maxmemory_policy'),
    }
  }
}

/** A write is on the disk before it is answered: only when the server says so. */
export const durabilityOf = (settings: RedisSettings): StoreCapabilities['durable'] =>
  settings.appendonly === 'yes' &&
  settings.appendfsync === 'always' &&
  settings['no-appendfsync-on-rewrite'] === 'no'
    ? 'power'
    : 'process'

const persistenceProblem = ({ appendonly, save }: RedisSettings): string | undefined => {
  if (appendonly !== 'no') return undefined
  const lost = save === '' ? 'keeps nothing on its disk' : 'writes snapshots only'
  return (
    `it ${lost} (appendonly is no), so acknowledged tasks do not survive its end. ` +
    'Set appendonly yes, and appendfsync always, or everysec to risk the last second'
  )
}

const evictionProblem = ({ 'maxmemory-policy': policy = 'noeviction' }: RedisSettings): string | undefined =>
  policy === 'noeviction'
    ? undefined
    : `it may drop records of tasks when its memory is full (maxmemory-policy is ${policy}). Set it to noeviction`

/** What may lose tasks, in sentences. */
export const settingsProblems = (settings: RedisSettings): string[] =>
  [persistenceProblem(settings), evictionProblem(settings)].filter((problem) => problem !== undefined)
