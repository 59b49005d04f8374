/** Data of a job on Redis, replaced in one step if nothing happened to the job since it was read. */
import type { Redis } from '../../peers/ioredis.ts'

export interface DataCommand {
  /** 1 when it is done. */
  errandReplaceData(
    job: string,
    lock: string,
    was: string,
    claims: string,
    data: string,
    appended: string,
  ): Promise<number>
}

/** Fields of BullMQ's hash of a job: `ats` counts how often it was taken. Whoever holds it has a token in its lock. */
const REPLACE = `
local was = redis.call('HMGET', KEYS[1], 'data', 'ats', 'finishedOn')
if was[1] ~= ARGV[1] or (was[2] or '0') ~= ARGV[2] or was[3] then return 0 end
redis.call('HSET', KEYS[1], 'data', ARGV[3])
local token = redis.call('GET', KEYS[2])
if token then redis.call('SET', KEYS[2], token .. ARGV[4], 'KEEPTTL') end
return 1`

export const addDataCommand = <T extends Redis>(client: T): T & DataCommand => {
  client.defineCommand('errandReplaceData', { numberOfKeys: 2, lua: REPLACE })
  return client as T & DataCommand
}
