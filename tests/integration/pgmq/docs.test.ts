/** The code of the guide to this engine runs, and does what it says. */
import { spawn } from 'node:child_process'
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runSql, startPgmq, type PgmqServer } from '../../support/pgmq/database.ts'
import { afterwards } from '../../support/afterwards.ts'
import { talkTo } from '../../support/serve.ts'
import { noPostgres } from '../../support/servers/postgres.ts'

const server = noPostgres ? undefined : await startPgmq()
const root = resolve(import.meta.dirname, '../../..')

const [, code = ''] =
  /^```ts orders\.ts\n(.*?)^```/ms.exec(readFileSync(join(root, 'docs/engines.md'), 'utf8')) ?? []

/** Inside the repository, so that the name `errand` resolves to it as it would in a user's project. */
const serveBlock = async (url: string): Promise<string> => {
  mkdirSync(join(root, 'tests/.tmp'), { recursive: true })
  const dir = mkdtempSync(join(root, 'tests/.tmp/engines-'))
  afterwards(async () => rmSync(dir, { recursive: true, force: true }))
  writeFileSync(join(dir, 'orders.ts'), code)
  const main = `import app from './orders.ts'\nconsole.log((await app.listen({ port: 0 })).url)\n`
  writeFileSync(join(dir, 'main.ts'), main)
  const child = spawn(process.execPath, ['--conditions=errand-source', 'main.ts'], {
    cwd: dir,
    env: { ...process.env, NODE_OPTIONS: '', DATABASE_URL: url },
    // What it logs of the order that fails is nobody's to read.
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  afterwards(async () => void child.kill('SIGKILL'))
  for await (const said of child.stdout) return String(said).trim()
  throw new Error('it ended before it served')
}

describe.skipIf(noPostgres)('docs/engines.md', () => {
  test('an order and its task are there together', async () => {
    const url = await (server as PgmqServer).createDatabase()
    await runSql(url, 'create table orders (id integer primary key)')
    const { call, get } = talkTo(await serveBlock(url))
    const ordered = await call('/order', { id: 7 })
    expect(ordered.status, ordered.text).toBe(200)
    const { taskId } = ordered.json as { taskId: string }
    expect((await get(`/tasks/${taskId}/result?wait=20`)).json).toBe('order 7 is on its way')
    expect((await call('/order', { id: 7 })).status).toBe(500) // A second one of the same number.
    expect((await runSql(url, 'select status from errand.task')).rows).toEqual([{ status: 'succeeded' }])
  })
})
