/** Where settings are said, which say wins, and what is refused: code, environment, file, profile. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createApp, DeclarationError, type AppOptions } from 'errand'
import { createTestApp } from 'errand/testing'
import { tempDir } from '../support/temp.ts'
import { procedures } from '../support/settings/procedures.ts'

let dir: string
beforeEach(async () => {
  dir = await tempDir()
  vi.spyOn(process, 'cwd').mockReturnValue(dir)
  vi.stubEnv('NODE_ENV', '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const write = async (name: string, content: string | object): Promise<string> => {
  const file = join(dir, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

const make = (options: AppOptions = {}) =>
  createApp(procedures, { logger: { error: () => {}, warn: () => {}, info: () => {} }, ...options })

/** A setting as it holds: its value, and where it was said. */
const settingOf = (path: string, options: AppOptions = {}): [value: string, from: string] => {
  const found = make(options)
    .config()
    .find((setting) => setting.path === path)
  return [found?.value ?? '', found?.from ?? '']
}

const complaintsOf = (options: AppOptions = {}): string[] => {
  try {
    make(options)
  } catch (error) {
    if (error instanceof DeclarationError) return error.complaints.map(({ at, text }) => `${at}: ${text}`)
    throw error
  }
  return []
}

describe('of several that say the same', () => {
  test('code comes before environment, before file, before profile, before what is standard', async () => {
    expect(settingOf('limits.url')).toEqual(['8192', 'default'])
    await write('errand.config.json', {
      profiles: { own: { limits: { url: 500, headers: 50 } } },
      profile: 'own',
    })
    expect(settingOf('limits.url')).toEqual(['500', 'profile own (errand.config.json)'])
    await write('errand.config.json', {
      profiles: { own: { limits: { url: 500, headers: 50 } } },
      profile: 'own',
      limits: { url: 600 },
    })
    expect(settingOf('limits.url')).toEqual(['600', 'errand.config.json: limits.url'])
    vi.stubEnv('ERRAND_LIMITS_URL', '700')
    expect(settingOf('limits.url')).toEqual(['700', 'ERRAND_LIMITS_URL'])
    expect(settingOf('limits.url', { limits: { url: 800 } })).toEqual(['800', 'code'])
    // Each setting by itself: what is said of one says nothing of its neighbours.
    expect(settingOf('limits.headers', { limits: { url: 800 } })).toEqual([
      '50',
      'profile own (errand.config.json)',
    ])
  })

  test('what listen() and the engine are told comes first, too', async () => {
    vi.stubEnv('ERRAND_HOST', '127.0.0.2')
    const server = await make().listen({ port: 0, host: '127.0.0.1' })
    expect(new URL(server.url).hostname).toBe('127.0.0.1')
    await server.close()
  })

  test('an empty variable says nothing', () => {
    vi.stubEnv('ERRAND_LIMITS_URL', '')
    expect(settingOf('limits.url')).toEqual(['8192', 'default'])
  })

  test('a rate is the same as text and as an object, and so is cors', async () => {
    await write('errand.config.json', { rateLimit: '5/1m', cors: { origin: 'https://a.example' } })
    expect(settingOf('rateLimit.limit')).toEqual(['5/1m', 'errand.config.json: rateLimit.limit'])
    expect(settingOf('cors')[0]).toBe('true')
    expect(settingOf('cors', { cors: false })).toEqual(['false', 'code'])
    expect(settingOf('rateLimit.limit', { rateLimit: '7/1m' })).toEqual(['7/1m', 'code'])
  })
})

describe('a file', () => {
  const SAYS = { limits: { url: 321 } }
  test.each([
    ['errand.config.json', JSON.stringify(SAYS)],
    ['errand.config.toml', '[limits]\nurl = 321\n'],
    ['errand.config.yaml', 'limits:\n  url: 321\n'],
    ['errand.config.yml', 'limits: { url: 321 }'],
    ['errand.config.mjs', 'export default { limits: { url: 321 } }'],
    ['errand.config.cjs', 'module.exports = { limits: { url: 321 } }'],
    ['errand.config.mts', 'const url: number = 321\nexport default { limits: { url } }'],
    ['errand.config.ts', 'export default { limits: { url: 321 as number } }'],
  ])('%s is found in the working directory', async (name, content) => {
    await write(name, content)
    expect(settingOf('limits.url')).toEqual(['321', `${name}: limits.url`])
    expect(settingOf('config')).toEqual([name, 'found in the working directory'])
  })

  test('that is empty says nothing', async () => {
    await write('errand.config.yaml', '# nothing yet\n')
    expect(complaintsOf()).toEqual([])
  })

  test('is where ERRAND_CONFIG says, or code, which may have none at all', async () => {
    await write('errand.config.json', { prefix: '/here' })
    await write('deep/a.json', { prefix: '/a' })
    await write('deep/b.json', { prefix: '/b' })
    expect(settingOf('prefix', { config: false })).toEqual(['none', 'default'])
    vi.stubEnv('ERRAND_CONFIG', 'deep/a.json')
    expect(settingOf('prefix')).toEqual(['/a', 'deep/a.json: prefix'])
    expect(settingOf('prefix', { config: 'deep/b.json' })).toEqual(['/b', 'deep/b.json: prefix'])
    vi.stubEnv('ERRAND_CONFIG', 'off')
    expect(settingOf('prefix')).toEqual(['none', 'default'])
  })

  test.each([
    ['errand.config.json', '{ "limits": ', /^errand\.config\.json: can't be read: .*JSON/],
    ['errand.config.toml', 'limits = [', /^errand\.config\.toml: can't be read: /],
    ['errand.config.yaml', 'a: [', /^errand\.config\.yaml: can't be read: /],
    ['errand.config.json', '[1]', /^errand\.config\.json: expected an object of settings/],
    ['errand.config.mjs', 'throw new Error("broken")', /^errand\.config\.mjs: can't be read: broken/],
    [
      'errand.config.mjs',
      'export default await {}',
      /^errand\.config\.mjs: can't be read: .*top-level await/,
    ],
  ])('%s that says %j is refused', async (name, content, text) => {
    await write(name, content)
    expect(complaintsOf()).toEqual([expect.stringMatching(text)])
  })

  test('beside another is refused, and so is one that is not there or of no known kind', async () => {
    await write('errand.config.json', '{}')
    await write('errand.config.toml', '')
    expect(complaintsOf()).toEqual([
      expect.stringMatching(/json: there is errand\.config\.toml, too: keep one/),
    ])
    expect(complaintsOf({ config: 'none.json' })).toEqual([
      expect.stringMatching(/^none\.json: can't be read: ENOENT/),
    ])
    expect(complaintsOf({ config: 'x.ini' })).toEqual([
      expect.stringMatching(/^x\.ini: can't be read: expected a name/),
    ])
  })
})

describe('what is wrong stops the start', () => {
  test.each<[name: string, content: object, text: string]>([
    [
      'a value',
      { limits: { url: 0 } },
      'limits.url is 0, expected a whole number from 16 to 1000000, such as 8192',
    ],
    ['a key', { limits: { ulr: 9 } }, 'limits.ulr is unknown: did you mean limits.url?'],
    ['a group', { lisen: { port: 1 } }, 'lisen is unknown: did you mean listen?'],
    [
      'a setting without its group',
      { headerSize: 1 },
      'headerSize is unknown: did you mean limits.headerSize?',
    ],
    [
      'a group that is none',
      { tasks: 5 },
      'tasks is ***, expected an object with tasks.connection, tasks.store',
    ],
    ['what only code can say', { createContext: 'x' }, 'createContext is unknown'],
    ['a file that names a file', { config: 'x' }, 'config has no meaning here'],
    [
      'a secret',
      { tasks: { store: 'mysql://me:hunter2@h' } },
      `tasks.store is "mysql://***@h", expected 'sqlite'`,
    ],
    [
      'a secret that is no URL',
      { tasks: { connection: 'hunter2' } },
      'tasks.connection is ***, expected the URL',
    ],
  ])('in a file: %s', async (_, content, text) => {
    await write('errand.config.json', content)
    expect(complaintsOf()).toEqual([expect.stringContaining(`errand.config.json: ${text}`)])
    expect(complaintsOf().join()).not.toContain('hunter2')
  })

  test.each([
    ['ERRAND_LIMITS_ULR', '9', 'ERRAND_LIMITS_ULR is unknown: did you mean ERRAND_LIMITS_URL?'],
    ['ERRAND_NOTHING_LIKE_IT', '9', 'ERRAND_NOTHING_LIKE_IT is unknown: no setting has that name'],
    ['ERRAND_LIMITS_URL', 'nine', 'ERRAND_LIMITS_URL is "nine", expected a whole number from 16'],
    ['ERRAND_WORK', 'maybe', 'ERRAND_WORK is "maybe", expected true or false'],
    [
      'ERRAND_RATE_LIMIT_STORE',
      'http://:hunter2@h',
      'ERRAND_RATE_LIMIT_STORE is "http://***@h", expected the URL of a Redis',
    ],
    ['ERRAND_PROFILE', 'prodution', 'profile is "prodution", which is no profile: did you mean production?'],
    [
      'ERRAND_PROFILE_FILE',
      '/nowhere',
      "ERRAND_PROFILE_FILE names the file /nowhere, which can't be read: ENOENT",
    ],
  ])('in the environment: %s=%s', (name, text, complaint) => {
    vi.stubEnv(name, text)
    expect(complaintsOf()).toEqual([expect.stringContaining(complaint)])
    expect(complaintsOf().join()).not.toContain('hunter2')
  })

  test('all of it at once', async () => {
    await write('errand.config.json', { prefix: 'api', trustProxy: -1 })
    vi.stubEnv('ERRAND_BODY_LIMIT', 'much')
    expect(complaintsOf({ limits: { headers: 1 } })).toHaveLength(4)
  })

  test('what is wrong only together names where each was said', async () => {
    vi.stubEnv('ERRAND_LIMITS_URL', '20000')
    expect(complaintsOf()).toEqual([
      expect.stringMatching(
        /limits\.url is 20000, expected less than limits\.headerSize.*\(limits\.url: ERRAND_LIMITS_URL\)/,
      ),
    ])
  })

  test('the variables that Kubernetes makes for a service called errand are none of it', () => {
    vi.stubEnv('ERRAND_PORT', 'tcp://10.0.0.1:80')
    vi.stubEnv('ERRAND_SERVICE_HOST', '10.0.0.1')
    vi.stubEnv('ERRAND_PORT_80_TCP_ADDR', '10.0.0.1')
    expect(complaintsOf()).toEqual([])
    expect(settingOf('listen.port')).toEqual(['3000', 'default'])
  })
})

describe('a secret', () => {
  test('may be in a file that a variable names', async () => {
    const file = await write('secret', 'redis://me:hunter2@localhost:6379\n')
    vi.stubEnv('ERRAND_RATE_LIMIT_STORE_FILE', file)
    expect(settingOf('rateLimit.store')).toEqual([
      'redis://***@localhost:6379',
      'ERRAND_RATE_LIMIT_STORE_FILE',
    ])
    vi.stubEnv('ERRAND_RATE_LIMIT_STORE', 'redis://localhost:6379')
    expect(complaintsOf()).toEqual([expect.stringMatching(/ say the same: leave one of them out/)])
  })
})

describe('a profile', () => {
  test('is what code says, else ERRAND_PROFILE, else NODE_ENV where it names one, else what the file says', async () => {
    expect(settingOf('profile')).toEqual(['development', 'default'])
    await write('errand.config.json', { profile: 'test', profiles: { own: {} } })
    expect(settingOf('profile')).toEqual(['test', 'errand.config.json: profile'])
    vi.stubEnv('NODE_ENV', 'staging')
    expect(settingOf('profile')[0]).toBe('test')
    vi.stubEnv('NODE_ENV', 'own')
    expect(settingOf('profile')).toEqual(['own', 'NODE_ENV'])
    vi.stubEnv('ERRAND_PROFILE', 'production')
    expect(settingOf('profile')).toEqual(['production', 'ERRAND_PROFILE'])
    expect(settingOf('profile', { profile: 'development' })).toEqual(['development', 'code'])
  })

  /** Whether a failure tells what was thrown, as in development alone. */
  const reveals = async (options: AppOptions): Promise<boolean> => {
    const answer = await make(options).fetch(new Request('http://x/fails', { method: 'POST' }))
    return (await answer.text()).includes('inner words')
  }

  test('of one’s own is on top of another, and of production where it names none', async () => {
    const profiles = {
      safe: {},
      open: { extends: 'development', cors: true },
      wider: { extends: 'open', trustProxy: 2 },
    }
    expect(await reveals({ profiles, profile: 'safe' })).toBe(false)
    expect(await reveals({ profiles, profile: 'open' })).toBe(true)
    expect(await reveals({ profiles, profile: 'wider' })).toBe(true)
    expect(settingOf('cors', { profiles, profile: 'wider' })).toEqual(['true', 'profile open (options)'])
    expect(settingOf('trustProxy', { profiles, profile: 'wider' })[0]).toBe('2')
  })

  test('that is built in can be added to, by code before the file', async () => {
    await write('errand.config.json', { profiles: { production: { trustProxy: 1, prefix: '/file' } } })
    const options = { profile: 'production', profiles: { production: { trustProxy: 3 } } }
    expect(settingOf('trustProxy', options)).toEqual(['3', 'profile production (options)'])
    expect(settingOf('prefix', options)).toEqual(['/file', 'profile production (errand.config.json)'])
  })

  test.each([
    [{ own: { extends: 'prodction' } }, /profiles\.own\.extends is "prodction".*did you mean production/],
    [{ a: { extends: 'b' }, b: { extends: 'a' } }, /profiles\.a\.extends is "b", which leads back to it/],
    [{ test: { extends: 'own' } }, /test is built in, and extends none/],
    [{ own: { trustProxy: 'x' } }, /profiles\.own\.trustProxy is "x", expected a whole number/],
    [{ own: { profile: 'test' } }, /profiles\.own\.profile has no meaning here/],
    [{ own: 5 }, /profiles\.own: expected an object of settings/],
  ])('%j is refused', (profiles, text) => {
    expect(complaintsOf({ profiles: profiles as never }).join('\n')).toMatch(text)
  })
})

test('an app under test hears nothing of the environment, nor of a file', async () => {
  await write('errand.config.json', { prefix: '/file' })
  vi.stubEnv('ERRAND_LIMITS_URL', 'nonsense')
  await using app = createTestApp(procedures)
  expect(app.routes().map(({ path }) => path)).toContain('/echo')
})
