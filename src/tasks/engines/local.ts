/** `local()` and `inline()`: tasks of one process, with nothing else to install or start. */
import { oneOf, refuseProblems, someText, type Rules } from '../../config/option-rules.ts'
import { checkAdapter, type Adapter } from '../stores/adapter.ts'
import { findServerStore, isServerUrl, serverUrlProblem } from '../stores/servers.ts'
import type { TaskEngine } from '../engine.ts'
import type { TaskStore } from '../store.ts'
import type { OnDamage, WriterPlace } from '../stores/sqlite/open.ts'
import { ENGINE_RULES, takeFrom, toSettings, type EngineOptions, type TasksOption } from './options.ts'

/** Options of `local()`. */
export interface LocalOptions extends EngineOptions {
  /**
   * Where records are kept: `'sqlite'` (default), a file; `'memory'`, gone with the process; a Redis or Valkey server by
   * its URL, as `'redis://localhost:6379/0'`; or any Keyv storage adapter that can be iterated, as
   * `new KeyvRedis(url, options)`.
   */
  readonly store?: 'sqlite' | 'memory' | (string & {}) | Adapter
  /** Directory of the SQLite file. Default: `ERRAND_DATA`, else `.errand` in the working directory. */
  readonly dir?: string
  /**
   * Where the SQLite file is written: on the event loop (`'inline'`), in a thread of its own (`'thread'`), or in a
   * thread once the disk proves slow (`'auto'`, the default).
   */
  readonly writer?: WriterPlace
  /**
   * What a start does when the SQLite file is damaged: refuse it (`'refuse'`, the default), or set it aside and go on
   * with the records that can still be read (`'salvage'`).
   */
  readonly onDamage?: OnDamage
}

/** Options of `inline()`. */
export type InlineEngineOptions = Pick<EngineOptions, 'inline' | 'queueLimit' | 'drainGrace'>

/** What each must be. */
export const LOCAL_RULES: Rules<LocalOptions> = {
  ...ENGINE_RULES,
  // Looked into by itself: what is shown of it must not have a password in it.
  store: { holds: () => true, expected: 'a store' },
  dir: someText('a path'),
  writer: oneOf('auto', 'inline', 'thread'),
  onDamage: oneOf('refuse', 'salvage'),
}

const INLINE_RULES: Rules<InlineEngineOptions> = {
  inline: ENGINE_RULES.inline,
  queueLimit: ENGINE_RULES.queueLimit,
  drainGrace: ENGINE_RULES.drainGrace,
}

/**
 * Tasks live in this process and its store, and run in its workers.
 *
 * @example createApp(procedures, { module: import.meta.url, tasks: local({ threads: 4 }) })
 */
export const local = (options: LocalOptions = {}): TasksOption => {
  const settings = toSettings('local', options, LOCAL_RULES)
  checkStore(options)
  const { queueLimit } = settings
  return {
    ...settings,
    multiHost: false,
    create: () => createEngine('local', options, queueLimit),
    given: options,
    configure: (outside) => local(withStore(options, takeFrom(outside, options, LOCAL_RULES))),
  }
}

/**
 * For tests: the same engine in memory, and every task runs on the event loop.
 *
 * @example const app = createApp(procedures, { tasks: inline() })
 */
export const inline = (options: InlineEngineOptions = {}): TasksOption => {
  const settings = toSettings('inline', options, INLINE_RULES)
  const { queueLimit } = settings
  return {
    ...settings,
    runOn: 'inline',
    multiHost: false,
    create: () => createEngine('inline', { store: 'memory' }, queueLimit),
    given: options,
    configure: (outside) => inline(takeFrom(outside, options, INLINE_RULES)),
  }
}

/** What is said from outside of a file says nothing of other stores. */
const withStore = (code: LocalOptions, { dir, writer, onDamage, ...all }: LocalOptions): LocalOptions => {
  const ofFile = (all.store ?? 'sqlite') === 'sqlite' ? { dir, writer, onDamage } : code
  const kept = Object.entries({ dir: ofFile.dir, writer: ofFile.writer, onDamage: ofFile.onDamage })
  return { ...all, ...Object.fromEntries(kept.filter(([, value]) => value !== undefined)) }
}

const createEngine = async (name: string, options: LocalOptions, queueLimit: number): Promise<TaskEngine> => {
  const { LocalEngine } = await import('./local-engine.ts')
  return new LocalEngine({ name, store: await toStore(options), queueLimit })
}

const toStore = async ({ store = 'sqlite', ...place }: LocalOptions): Promise<TaskStore> => {
  const { KeyvStore } = await import('../stores/keyv-store.ts')
  if (store === 'memory') return new KeyvStore(new Map(), { name: 'memory' })
  if (store !== 'sqlite') {
    const { adapter, ...options } = (await findServerStore(store)) ?? { adapter: store as Adapter }
    return new KeyvStore(adapter, options)
  }
  const { SqliteAdapter } = await import('../stores/sqlite.ts')
  return new KeyvStore(new SqliteAdapter(place), { name: 'sqlite' })
}

const checkStore = ({ store, dir, writer, onDamage }: LocalOptions): void => {
  if (store === undefined || store === 'sqlite') return
  const misplaced = Object.entries({ dir, writer, onDamage }).filter(([, value]) => value !== undefined)
  for (const [name] of misplaced)
    refuse(`option ${name} is for the 'sqlite' store, and store is another. Leave one of them out`)
  if (store === 'memory') return
  if (typeof store !== 'string') return checkAdapter(store)
  const problem = serverUrlProblem(store)
  if (problem !== undefined) refuse(`option store can't be used: ${problem}`)
  if (!isServerUrl(store))
    refuse(
      `option store is ${withoutPassword(store)}, expected 'sqlite', 'memory', the URL of a Redis server ` +
        `('redis://…') or a Keyv storage adapter, such as new KeyvRedis(url) of @keyv/redis`,
    )
}

const refuse = (problem: string): void => refuseProblems('local()', [problem])

/** The URL of a server that is not known may have a password in it. */
const withoutPassword = (text: string): string => JSON.stringify(text).replace(/\/\/[^@/]*@/, '//***@')
