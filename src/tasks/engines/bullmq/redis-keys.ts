/** Idempotency keys on Redis: fields of one hash, changed by two scripts, each in one step. */
import type { Redis } from '../../peers/ioredis.ts'

export interface KeyCommands {
  errandClaimKey(hash: string, key: string, value: string, instead: string): Promise<string>
  errandFreeKey(hash: string, key: string, beginning: string): Promise<number>
}

/** The first wins; later ones hear whose it is. */
const CLAIM = `
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held and held ~= ARGV[3] then return held end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return ARGV[2]`

const FREE = `
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held or string.sub(held, 1, #ARGV[2]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])`

export const addKeyCommands = (client: Redis): Redis & KeyCommands => {
  client.defineCommand('errandClaimKey', { numberOfKeys: 1, lua: CLAIM })
  client.defineCommand('errandFreeKey', { numberOfKeys: 1, lua: FREE })
  return client as Redis & KeyCommands
}
