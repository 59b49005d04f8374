/** The seat in Redis: set when it is free, kept and freed only by whose mark is there, and free by itself in time. */
import { SEAT_TIMES, type Seat, type Seated } from '../seat.ts'
import type { RedisClient } from './client.ts'

/** Runs a script, with the limits and errors of the adapter. */
export type RunScript = (run: (client: RedisClient) => Promise<unknown>) => Promise<unknown>

// Each is one step to all others. A mark without an end, which is none of ours, gets one.
const TAKE = `
  if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return { ARGV[1], ARGV[2] } end
  local left = redis.call('PTTL', KEYS[1])
  if left < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) left = ARGV[2] end
  return { redis.call('GET', KEYS[1]), tostring(left) }`

// PEXPIRE, for a server that is out of memory refuses SET.
const KEEP = `
  local mark = redis.call('GET', KEYS[1])
  if mark == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return mark`

const LEAVE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end`

/** The seat under one key. */
export class RedisSeat implements Seat {
  readonly #run: RunScript
  readonly #key: () => string
  readonly #hold: string

  constructor(run: RunScript, key: () => string, times = SEAT_TIMES) {
    this.#run = run
    this.#key = key
    this.#hold = String(times.hold)
  }

  async take(mark: string): Promise<Seated> {
    const [found, left] = (await this.#eval(TAKE, mark)) as [string, string]
    return { mark: found, left: Number(left) }
  }

  async keep(mark: string): Promise<string | undefined> {
    return ((await this.#eval(KEEP, mark)) as string | null) ?? undefined
  }

  async leave(mark: string): Promise<void> {
    await this.#eval(LEAVE, mark)
  }

  #eval(script: string, mark: string): Promise<unknown> {
    const [keys, args] = [[this.#key()], [mark, this.#hold]]
    return this.#run((client) => client.eval(script, { keys, arguments: args }))
  }
}
