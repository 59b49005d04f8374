/** Without a package that is optional everything else works, and what needs it says how to get it. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)

/** Node looks for one package under a name that nobody has, and so fails as it does where that isn't installed. */
const without = (name: string): string => `
  import { registerHooks } from 'node:module'
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== '${name}') return next(specifier, context)
      return next('nobody-has-this', context)
    },
  })`

const toUrl = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`

/** What an app prints where a package is missing. */
const printedWithout = async (name: string, app: string): Promise<string> => {
  const flags = ['--conditions=errand-source', `--import=${toUrl(without(name))}`, '--input-type=module']
  return (await run(process.execPath, [...flags, '--eval', app])).stdout
}

test('a Redis by its URL prints the line that installs @keyv/redis', async () => {
  const app = `
    import { createApp, local, procedure } from 'errand'
    import { z } from 'zod'
    const nothing = procedure.task({ input: z.void(), output: z.void(), runOn: 'inline', handler: () => {} })
    for (const store of ['memory', 'redis://127.0.0.1:1']) {
      const app = createApp({ nothing }, { module: 'file:///app.ts', tasks: local({ store }) })
      await app.listen({ port: 0 }).then(() => console.log('listens'), (error) => console.log(error.message))
      await app.close()
    }`
  const said = await printedWithout('@keyv/redis', app)
  expect(said).toMatch(/^listens\nlocal\({ store: 'redis:.*needs the package @keyv\/redis/)
  expect(said).toContain('npm install @keyv/redis@^5.1.0')
})

test('metrics that are asked for print the line that installs prom-client', async () => {
  const app = `
    import { createApp, procedure } from 'errand'
    import { z } from 'zod'
    const nothing = procedure.query({ input: z.void(), output: z.void(), handler: () => {} })
    const plain = createApp({ nothing }, {})
    await plain.listen({ port: 0 }).then(() => console.log('listens'))
    await plain.close()
    try {
      createApp({ nothing }, { metrics: true })
    } catch (error) {
      console.log(error.message)
    }`
  expect(await printedWithout('prom-client', app)).toBe(
    'listens\n' +
      "createApp can't serve this:\n" +
      '  - options: metrics need the package prom-client, which this project lacks: npm install prom-client\n',
  )
})
