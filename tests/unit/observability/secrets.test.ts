/** Which fields of a log line are secrets. */
import { expect, test } from 'vitest'
import { withoutSecrets } from '../../../src/observability/secrets.ts'

const SECRETS = [
  'authorization',
  'Authorization',
  'cookie',
  'set-cookie',
  'password',
  'dbPassword',
  'DB_PASSWORD',
  'secret',
  'clientSecret',
  'apiKey',
  'x-api-key',
  'API_KEY',
  'token',
  'accessToken',
  'refresh_token',
  'privateKey',
]

test.each(SECRETS)('%s is one, however deep', (name) => {
  expect(withoutSecrets({ [name]: 'x', in: [{ deep: { [name]: { all: 1 } } }] })).toEqual({
    [name]: '[redacted]',
    in: [{ deep: { [name]: '[redacted]' } }],
  })
})

test.each(['user', 'tokens_used', 'passwordless', 'monkey', 'key', 'cookieConsent', 'secretary'])(
  '%s is none',
  (name) => {
    expect(withoutSecrets({ [name]: 1 })).toEqual({ [name]: 1 })
  },
)

test('what is too deep is left out, and what says itself how it is written is left as it is', () => {
  const at = new Date(0)
  expect(withoutSecrets({ at })).toEqual({ at })
  const deep = Array.from({ length: 12 }).reduce<object>((inner) => ({ inner }), { password: 'x' })
  expect(JSON.stringify(withoutSecrets({ deep }))).toContain('[too deep]')
})
