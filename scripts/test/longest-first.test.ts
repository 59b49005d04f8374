import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../lib/root.ts'
import { LONG } from './longest-first.ts'

test('every long file is there under its name', () => {
  expect(LONG.filter((file) => !existsSync(join(ROOT, file)))).toEqual([])
})
