/** A short-lived process that runs hey-api: the hook it needs must not stay in anybody else's. */
import { registerHooks } from 'node:module'
import type { ImportExtension } from './client-options.ts'
import type { HeyApiJob } from './hey-api-job.ts'

const { peers, input, output, baseUrl, client } = JSON.parse(process.argv[2] as string) as HeyApiJob
const { heyApi, compiler } = peers

// hey-api needs the compiler's API of TypeScript 6 and says `typescript`, where a project may have 7.
registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier === heyApi.name) return next(specifier, { ...context, parentURL: heyApi.from })
    if (specifier === 'typescript' && context.parentURL?.includes('/@hey-api/'))
      return next(compiler.name, { ...context, parentURL: compiler.from })
    return next(specifier, context)
  },
})

const { createClient } = await import('@hey-api/openapi-ts')

/** An operation as the parser's hooks see it: the document's, with its extensions. */
interface Operation {
  readonly 'x-kind'?: string
}

const isQuery = (operation: object): true | undefined =>
  (operation as Operation)['x-kind'] === 'query' ? true : undefined

await createClient({
  input,
  output: {
    path: output,
    // Not as the tsconfig.json says that happens to be near: the same bytes everywhere.
    tsConfigPath: null,
    module: { extension: client.extension satisfies ImportExtension },
    entryFile: true,
    header: [],
  },
  parser: {
    hooks: {
      operations: {
        // Queries are POST: without a word from us they would all be mutations.
        isQuery,
        isMutation: (operation) => (isQuery(operation) ? false : undefined),
      },
    },
  },
  plugins: [
    { name: '@hey-api/client-fetch', baseUrl, includeInEntry: true },
    '@hey-api/typescript',
    { name: '@hey-api/sdk', operations: { strategy: 'flat' } },
    ...(client.zod ? ([{ name: 'zod', compatibilityVersion: 4 }] as const) : []),
    ...(client.reactQuery ? (['@tanstack/react-query'] as const) : []),
  ],
  interactive: false,
  logs: { level: 'silent', file: false },
})
