import { describe, expect, it } from 'vitest'
import {
  isRedisUrl,
  redisUrlProblem,
  showRedisUrl,
  toClientUrl,
} from '../../../src/tasks/stores/redis/url.ts'

describe('the URL of a Redis', () => {
  it.each([
    ['redis://localhost', 'redis://localhost', 'localhost:6379/0'],
    ['rediss://:pw@cache.example:6380/2', 'rediss://:pw@cache.example:6380/2', 'cache.example:6380/2'],
    ['valkey://user:p%40w@[::1]:7000/', 'redis://user:p%40w@[::1]:7000/', '[::1]:7000/0'],
    ['VALKEYS://host', 'rediss://host', 'host:6379/0'],
  ])('%s is taken, and shown without its password', (url, forClient, shown) => {
    expect(isRedisUrl(url)).toBe(true)
    expect(redisUrlProblem(url)).toBeUndefined()
    expect(toClientUrl(url)).toBe(forClient)
    expect(showRedisUrl(url)).toBe(shown)
  })

  it.each([
    ['redis://user:pw@', 'it is no URL'],
    ['redis://:p/w@host', 'it is no URL'],
    ['redis://:100%@host', 'must be percent-encoded'],
    ['redis:///0', 'it names no host'],
    ['redis://host/main', 'its database is no number'],
  ])('%s is refused with what is wrong, and without itself', (url, problem) => {
    expect(isRedisUrl(url)).toBe(true)
    expect(redisUrlProblem(url)).toContain(problem)
    expect(redisUrlProblem(url)).not.toContain(url)
  })

  it.each(['sqlite', 'redis:localhost', 'http://redis', 'myredis://host'])('%s is none', (text) => {
    expect(isRedisUrl(text)).toBe(false)
  })
})
