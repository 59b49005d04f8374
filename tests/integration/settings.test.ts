/** Every setting does what it says: each is looked at without its variable, and with it. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { SETTINGS } from '../../src/app-settings.ts'
import { noRedis } from '../support/servers/redis.ts'
import { CHOOSING, LISTENING } from '../support/settings/choosing.ts'
import type { Effect, Effects, Variables } from '../support/settings/effect.ts'
import { LOG } from '../support/settings/log.ts'
import { METRICS } from '../support/settings/metrics.ts'
import { PROTECTION } from '../support/settings/protection.ts'
import { ROUTING } from '../support/settings/routes.ts'
import { TASKS } from '../support/settings/tasks.ts'

const EFFECTS: Effects = {
  ...CHOOSING,
  ...LISTENING,
  ...ROUTING,
  ...PROTECTION,
  ...LOG,
  ...TASKS,
  ...METRICS,
}
const NEED_REDIS = new Set(['rateLimit.store', 'tasks.connection'])

const stub = (variables: Variables): void => {
  for (const [name, text] of Object.entries(variables)) vi.stubEnv(name, text)
}

const besideOf = async ({ beside = {} }: Effect): Promise<Variables> =>
  typeof beside === 'function' ? beside() : beside

beforeEach(() => {
  vi.stubEnv('NODE_ENV', 'production')
})
afterEach(() => {
  vi.unstubAllEnvs()
})

test('each setting there is has its effect shown here', () => {
  expect(Object.keys(EFFECTS).sort()).toEqual(SETTINGS.settings.map(({ path }) => path).sort())
})

describe.each(Object.entries(EFFECTS))('%s', (path, effect) => {
  const { variable } = SETTINGS.settings.find((setting) => setting.path === path) as { variable: string }

  test.skipIf(noRedis && NEED_REDIS.has(path))(`does what ${variable} says`, async () => {
    stub(await besideOf(effect))
    if ('without' in effect) expect(await effect.look()).toEqual(effect.without)
    vi.stubEnv(variable, typeof effect.text === 'string' ? effect.text : await effect.text())
    expect(await effect.look()).toEqual(effect.with)
  })
})
