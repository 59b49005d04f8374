/** Whether a Redis will do, with what to do where it won't. */
import type { EngineCapabilities } from '../../engine.ts'
import type { Redis } from '../../peers/ioredis.ts'
import type { Report } from '../../store.ts'

/** The least that BullMQ works on, and Errand's blocking reads of streams. */
const LEAST_VERSION = '6.2.0'

interface Check {
  readonly where: string
  readonly report: Report
  /** What the driver said last: its calls only say that the connection is closed. */
  lastError(): Error | undefined
}

/** Connects and looks. What it says of itself may be hidden from us: that is no reason to refuse. */
export const checkRedis = async (
  client: Redis,
  { where, report, lastError }: Check,
): Promise<Pick<EngineCapabilities, 'durable'>> => {
  await connect(client, where, lastError)
  const info = toFields(await client.info())
  checkVersion(info, where)
  checkMode(info, where)
  checkEviction(info, where)
  const durable = await durabilityOf(client, info)
  if (durable === 'none')
    report(
      `${where} does not write each change to its disk (appendonly no): when it ends, tasks are lost. Set ` +
        '"appendonly yes" in its configuration, and "appendfsync always" if an acknowledged task must survive a power cut',
    )
  return { durable }
}

const connect = async (client: Redis, where: string, lastError: Check['lastError']): Promise<void> => {
  try {
    if (client.status === 'wait') await client.connect()
    await client.ping()
  } catch (error) {
    const cause = lastError() ?? (error as Error)
    const reason = cause.message || String((cause as NodeJS.ErrnoException).code)
    client.disconnect()
    throw unreachable(where, reason, cause)
  }
}

const unreachable = (where: string, reason: string, cause: unknown): Error =>
  new Error(`${where} can't be reached: ${reason}. ${cureOf(reason)}`, { cause })

const CURES: readonly (readonly [RegExp, string])[] = [
  [
    /ECONNREFUSED|Connection is closed/,
    'Is it running, and are host and port right? On your machine: redis-server',
  ],
  [/ENOTFOUND|EAI_AGAIN/, 'Is the name of the host right?'],
  [
    /NOAUTH|WRONGPASS|invalid (username|password)/i,
    'Give the right user and password: redis://user:password@host:6379',
  ],
  [/timed? ?out|ETIMEDOUT/i, 'Is there a firewall between, or is it busy with something that takes long?'],
  [/NOPERM/, 'Its user needs +@all on the keys of the prefix, or "~* &* +@all"'],
]

const cureOf = (reason: string): string =>
  CURES.find(([pattern]) => pattern.test(reason))?.[1] ?? 'Check the connection option'

const toFields = (info: string): ReadonlyMap<string, string> =>
  new Map(
    info.split('\r\n').flatMap((line) => {
      const at = line.indexOf(':')
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : []
    }),
  )

type Info = ReadonlyMap<string, string>

const checkVersion = (info: Info, where: string): void => {
  // Valkey says which Redis it is compatible with.
  const version = info.get('redis_version')
  if (version === undefined || !isOlder(version, LEAST_VERSION)) return
  throw new Error(
    `${where} is Redis ${version}, and the bullmq engine needs ${LEAST_VERSION} or later, or Valkey`,
  )
}

const isOlder = (version: string, least: string): boolean => {
  const [has, needs] = [version, least].map((text) => text.split('.').map(Number)) as [number[], number[]]
  const at = needs.findIndex((part, index) => part !== (has[index] ?? 0))
  return at >= 0 && (has[at] ?? 0) < (needs[at] as number)
}

const checkMode = (info: Info, where: string): void => {
  if (info.get('redis_mode') !== 'cluster' && info.get('cluster_enabled') !== '1') return
  throw new Error(
    `${where} is a Redis Cluster. The bullmq engine reads the events of all queues with one command, which a cluster ` +
      'refuses: use a single Redis or Valkey with a replica (Sentinel, or what your provider offers)',
  )
}

const checkEviction = (info: Info, where: string): void => {
  const policy = info.get('maxmemory_policy')
  if (policy === undefined || policy === 'noeviction') return
  throw new Error(
    `${where} has "maxmemory-policy ${policy}": when its memory is full it would throw tasks away. Set ` +
      '"maxmemory-policy noeviction" (redis-cli config set maxmemory-policy noeviction, and in its configuration)',
  )
}

const durabilityOf = async (client: Redis, info: Info): Promise<EngineCapabilities['durable']> => {
  if (info.get('aof_enabled') === '0') return 'none'
  return (await configOf(client, 'appendfsync')) === 'always' ? 'power' : 'process'
}

/** Providers hide it: they see to it themselves. */
const configOf = async (client: Redis, name: string): Promise<string | undefined> => {
  try {
    const [, value] = (await client.config('GET', name)) as [string, string]
    return value
  } catch {
    return undefined
  }
}
