/** Without @keyv/redis everything else works, and what needs it says how to get it. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)

/** Node finds every package but this one. */
const WITHOUT = `
  import { registerHooks } from 'node:module'
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== '@keyv/redis') return next(specifier, context)
      throw Object.assign(new Error('Cannot find package @keyv/redis'), { code: 'ERR_MODULE_NOT_FOUND' })
    },
  })`

const APP = `
  import { createApp, local, procedure } from 'errand'
  import { z } from 'zod'
  const nothing = procedure.task({ input: z.void(), output: z.void(), runOn: 'inline', handler: () => {} })
  for (const store of ['memory', 'redis://127.0.0.1:1']) {
    const app = createApp({ nothing }, { module: 'file:///app.ts', tasks: local({ store }) })
    await app.listen({ port: 0 }).then(() => console.log('listens'), (error) => console.log(error.message))
    await app.close()
  }`

const toUrl = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`

test('a Redis by its URL prints the line that installs it', async () => {
  const flags = ['--conditions=errand-source', `--import=${toUrl(WITHOUT)}`, '--input-type=module']
  const { stdout } = await run(process.execPath, [...flags, '--eval', APP])
  expect(stdout).toMatch(/^listens\nlocal\({ store: 'redis:.*needs the package @keyv\/redis/)
  expect(stdout).toContain('npm install @keyv/redis@^5.1.0')
})
