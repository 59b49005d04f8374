/**
 * The rings of src, inside to outside. A file's ring is its first folder under src, or its own name when it lies in src
 * itself (`app.ts` and `app-*.ts` are `app`, `index.ts` is `index`). Whoever may import what stands here and nowhere else.
 */
export interface Ring {
  /** Other rings it may import. */
  readonly rings: readonly string[]
  /** Other rings of which it may import types. */
  readonly typesOf?: readonly string[]
  /** Packages it may import. An optional peer that no ring lists has a rule of its own (peer-rule.ts). */
  readonly packages: readonly string[]
  /** Packages of which it may import types. */
  readonly typesOfPackages?: readonly string[]
  /** Runs in browsers: no module of Node. */
  readonly browser?: true
}

const INNER = ['protocol', 'procedures'] as const
const CORE = [...INNER, 'tasks', 'router', 'openapi', 'adapters'] as const
const OUTER = [...CORE, 'middleware', 'observability', 'config', 'console', 'app', 'index'] as const

export const RINGS: Readonly<Record<string, Ring>> = {
  protocol: { rings: [], packages: [], browser: true },
  procedures: { rings: ['protocol'], packages: ['zod'], typesOfPackages: ['@trpc/server'] },
  config: { rings: ['protocol'], packages: ['zod'] },
  tasks: { rings: [...INNER, 'config'], packages: ['zod', 'tinypool', 'keyv'] },
  router: { rings: [...INNER, 'config', 'tasks'], packages: ['zod', '@trpc/server'] },
  openapi: {
    rings: [...INNER, 'config', 'tasks', 'router'],
    packages: ['zod', '@asteasolutions/zod-to-openapi'],
    typesOfPackages: ['@trpc/server'],
  },
  adapters: { rings: [...INNER, 'config', 'tasks', 'router', 'openapi'], packages: ['@trpc/server'] },

  middleware: { rings: INNER, typesOf: ['router'], packages: [] },
  observability: { rings: [...INNER, 'config', 'tasks', 'router'], packages: ['pino'] },
  console: { rings: [...INNER, 'config', 'tasks', 'router', 'openapi'], packages: [] },
  client: {
    rings: ['protocol'],
    typesOf: ['procedures', 'router'],
    packages: ['@trpc/client'],
    typesOfPackages: ['@trpc/server'],
    browser: true,
  },

  app: {
    rings: [...CORE, 'middleware', 'observability', 'config', 'console'],
    packages: ['zod', '@trpc/server', 'keyv'],
  },
  index: { rings: OUTER, packages: [] },
  ports: { rings: [...INNER, 'tasks'], packages: [] },
  testing: { rings: [...OUTER, 'client'], packages: ['@trpc/client'] },
  cli: { rings: OUTER, packages: ['commander', 'zod'] },
}
