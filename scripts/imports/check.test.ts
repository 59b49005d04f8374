import { describe, expect, test } from 'vitest'
import { checkImports } from './check.ts'

const manifest = { peerDependenciesMeta: { bullmq: { optional: true }, '@trpc/client': { optional: true } } }

/** `file:line what` of each finding. */
const check = (files: Record<string, string>): string[] =>
  checkImports(new Map(Object.entries(files)), manifest).map(
    ({ file, line, what }) => `${file}:${line} ${what}`,
  )

describe('rings', () => {
  test('an import of an earlier ring is fine', () => {
    const files = { 'src/protocol/a.ts': '', 'src/tasks/b.ts': "import { a } from '../protocol/a.ts'" }
    expect(check(files)).toEqual([])
  })

  test('an import of a later ring is refused, types included, at its line', () => {
    const files = {
      'src/tasks/a.ts': "\nimport type { B } from '../router/b.ts'",
      'src/router/b.ts': '',
    }
    expect(check(files)).toEqual([
      'src/tasks/a.ts:2 tasks imports router (src/router/b.ts); it may import protocol, procedures, config',
    ])
  })

  test.each([
    ['re-export', "export * from '../app.ts'"],
    ['dynamic import', "const app = await import('../app.ts')"],
    ['import type expression', "type App = import('../app.ts').App"],
    ['inline type import, which still loads the file', "import { type App } from '../app.ts'"],
  ])('counts as an import: %s', (_, text) => {
    expect(check({ 'src/app.ts': '', 'src/protocol/a.ts': text })).toHaveLength(1)
  })

  test('the client takes types of procedures, and values of protocol alone', () => {
    const inner = { 'src/procedures/p.ts': '', 'src/protocol/a.ts': '' }
    expect(check({ ...inner, 'src/client/c.ts': "import type { P } from '../procedures/p.ts'" })).toEqual([])
    expect(check({ ...inner, 'src/client/c.ts': "import { a } from '../protocol/a.ts'" })).toEqual([])
    expect(check({ ...inner, 'src/client/c.ts': "import { P } from '../procedures/p.ts'" })).toHaveLength(1)
  })

  test('the client runs in browsers: neither Node nor zod', () => {
    const text =
      "import { join } from 'node:path'\nimport { z } from 'zod'\nimport { httpLink } from '@trpc/client'"
    expect(check({ 'src/client/c.ts': text })).toEqual([
      'src/client/c.ts:1 client imports node:path',
      'src/client/c.ts:2 client imports the package zod; it may import @trpc/client, and types of @trpc/server',
    ])
  })

  test('a file in no ring is refused', () => {
    expect(check({ 'src/utils/a.ts': '' })).toEqual(['src/utils/a.ts:1 utils is no ring'])
  })

  test('a worker is named by a URL whose extension tsc would not rewrite', () => {
    const text = "const entry = new URL('./entry.ts', import.meta.url)"
    expect(check({ 'src/tasks/a.ts': text, 'src/tasks/entry.ts': '' })).toEqual([
      "src/tasks/a.ts:1 new URL('./entry.ts', import.meta.url) names a .ts file",
    ])
  })
})

describe('cycles', () => {
  test('a cycle is told once, in full', () => {
    const files = {
      'src/tasks/a.ts': "import './b.ts'",
      'src/tasks/b.ts': "import './c.ts'",
      'src/tasks/c.ts': "import type { A } from './a.ts'",
    }
    expect(check(files)).toEqual([
      'src/tasks/a.ts:1 a cycle: src/tasks/a.ts → src/tasks/b.ts → src/tasks/c.ts → src/tasks/a.ts',
    ])
  })

  test('a file that leads into a cycle is not part of it', () => {
    const files = {
      'src/tasks/a.ts': "import './b.ts'",
      'src/tasks/b.ts': "import './c.ts'",
      'src/tasks/c.ts': "import './b.ts'",
    }
    expect(check(files)).toEqual([
      'src/tasks/b.ts:1 a cycle: src/tasks/b.ts → src/tasks/c.ts → src/tasks/b.ts',
    ])
  })
})

describe('optional peers', () => {
  test('one file of an entry of its own may import one', () => {
    expect(check({ 'src/index.ts': '', 'src/tasks/bullmq.ts': "import { Queue } from 'bullmq'" })).toEqual([])
  })

  test('a second file may not, not even a type', () => {
    const files = {
      'src/tasks/bullmq.ts': "import { Queue } from 'bullmq'",
      'src/tasks/other.ts': "import type { Job } from 'bullmq'",
    }
    expect(check(files)).toEqual([
      'src/tasks/other.ts:1 bullmq is an optional peer and src/tasks/bullmq.ts imports it already',
    ])
  })

  test('what everyone loads may import one only when it is used', () => {
    const index = { 'src/index.ts': "export * from './tasks/bullmq.ts'" }
    expect(check({ ...index, 'src/tasks/bullmq.ts': "import { Queue } from 'bullmq'" })).toHaveLength(1)
    expect(check({ ...index, 'src/tasks/bullmq.ts': "const { Queue } = await import('bullmq')" })).toEqual([])
  })
})
