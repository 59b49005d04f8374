/** The quickstart as `npm start` runs it: its own process, its own port, a browser's and a shell's view of it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const data = mkdtempSync(path.join(tmpdir(), 'errand-quickstart-'))

interface Running {
  readonly url: string
  readonly child: ChildProcess
  readonly said: string
}

const start = async (): Promise<Running> => {
  const child = spawn(process.execPath, ['--conditions=errand-source', 'examples/quickstart/main.ts'], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', PORT: '0', ERRAND_DATA: data },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  for await (const chunk of child.stdout ?? []) {
    said += String(chunk)
    if (said.includes('/tasks\n')) break
  }
  const url = /https?:\/\/\S+/.exec(said)?.[0]
  if (!url) throw new Error(`The quickstart said no address: ${said}`)
  return { url, child, said }
}

const stop = async ({ child }: Running, signal: NodeJS.Signals): Promise<number | null> => {
  child.kill(signal)
  const [code] = (await once(child, 'exit')) as [number | null]
  return code
}

let running: Running
beforeAll(async () => {
  running = await start()
})
afterAll(async () => {
  if (running.child.exitCode === null) await stop(running, 'SIGKILL')
  rmSync(data, { recursive: true, force: true })
})

const post = (to: string, body: unknown): Promise<Response> =>
  fetch(running.url + to, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

describe('the quickstart', () => {
  test('says where it is, where the reference is, and three lines to try', () => {
    expect(running.said).toContain(`${running.url}/docs`)
    expect(running.said.match(/curl /g)).toHaveLength(3)
  })

  test('adds, greets and keeps users', async () => {
    expect(await (await post('/add', { a: 1, b: 2 })).text()).toBe('3')
    expect(await (await post('/greet', {})).json()).toBe('Hello, World!')
    const created = await post('/users', { name: 'Ada', email: 'ada@example.org' })
    const { id } = (await created.json()) as { id: string }
    expect(created.status).toBe(201)
    expect(await (await fetch(`${running.url}/users/${id}`)).json()).toMatchObject({ id, name: 'Ada' })
    expect((await fetch(`${running.url}/users/${id}`, { method: 'DELETE' })).status).toBe(204)
    const gone = await fetch(`${running.url}/users/${id}`)
    expect(await gone.json()).toMatchObject({ status: 404, code: 'NOT_FOUND', data: { id } })
  })

  test('serves its reference and its document', async () => {
    const page = await fetch(`${running.url}/docs`, { redirect: 'manual' })
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(await (await fetch(`${running.url}/openapi.json`)).json()).toMatchObject({
      openapi: expect.stringMatching(/^3\.1/) as string,
    })
  })

  test('makes thumbnails of real images on a worker', async () => {
    const red = { width: 300, height: 200, channels: 3 as const, background: 'red' }
    const image = (await sharp({ create: red }).jpeg().toBuffer()).toString('base64')
    const answer = await post('/thumbnail', { image, width: 60 })
    const thumbnail = (await answer.json()) as { image: string; width: number; height: number }
    expect(thumbnail).toMatchObject({ width: 60, height: 40 })
    expect(await sharp(Buffer.from(thumbnail.image, 'base64')).metadata()).toMatchObject({
      format: 'png',
      width: 60,
    })
  })

  test('answers for a finished task, and finishes a running one, after kill -9', async () => {
    const done = (await (await post('/countPrimes/tasks', { below: 1000 })).json()) as { id: string }
    const before = await fetch(`${running.url}/tasks/${done.id}/result?wait=20`)
    expect(await before.json()).toEqual({ count: 168, largest: 997 })
    const accepted = await post('/countPrimes?async=true', { below: 3_000_000 })
    expect(accepted.status).toBe(202)
    const location = accepted.headers.get('location') as string

    await stop(running, 'SIGKILL')
    running = await start()

    const after = await fetch(`${running.url}/tasks/${done.id}/result`)
    expect(await after.json()).toEqual({ count: 168, largest: 997 })
    const resumed = await fetch(`${running.url}${location}/result?wait=30`)
    expect(await resumed.json()).toEqual({ count: 216816, largest: 2999999 })
  })

  test('ends on SIGTERM, however often it is told', async () => {
    running.child.kill('SIGTERM')
    expect(await stop(running, 'SIGTERM')).toBe(0)
  })
})
