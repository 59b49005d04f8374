/** A task watched from a browser: pages are closed, reloaded and cut off, the server is killed, and the task goes on. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { build } from 'esbuild'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHROMIUM, launchChromium, visit } from '../support/chromium.ts'
import { serveChild, type ChildServer } from '../support/child-server.ts'
import { generateClient, repositoryDir } from '../support/generated.ts'
import { openTcpProxy } from '../support/tcp-proxy.ts'
import { tempDir } from '../support/temp.ts'
import { until } from '../support/until.ts'
import { expectOneStory, openGate, WALK, type WalkEvent } from '../support/walk.ts'

const FIXTURES = path.resolve(import.meta.dirname, '../fixtures/watching')

const REST_PAGE = `import { attachTask, restTask, startTask } from 'errand/client/rest'
import * as sdk from './client/index.ts'
import { run, server } from '${FIXTURES}/page.ts'
sdk.client.setConfig({ baseUrl: server })
const walk = restTask(sdk, 'walk')
await run({ start: (input) => startTask(walk, input), attach: (id) => attachTask(walk, id) })
`

/** Both pages as a user would build them. */
const buildPages = async (dir: string): Promise<void> => {
  await generateClient(WALK, path.join(dir, 'client'))
  writeFileSync(path.join(dir, 'page-rest.ts'), REST_PAGE)
  await build({
    entryPoints: { trpc: path.join(FIXTURES, 'page-trpc.ts'), rest: path.join(dir, 'page-rest.ts') },
    outdir: dir,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['errand-source'],
    logLevel: 'warning',
  })
}

const eventsOn = (page: Page): Promise<WalkEvent[]> =>
  page.evaluate(() => (globalThis as unknown as { seen: WalkEvent[] }).seen)

const stepsOn = async (page: Page): Promise<number> =>
  (await eventsOn(page)).filter(({ type }) => type === 'progress').length

const moreSteps = async (page: Page, count = 3): Promise<void> => {
  const before = await stepsOn(page)
  await until(`${count} more steps`, async () => (await stepsOn(page)) >= before + count, 20_000)
}

const idOn = (page: Page): Promise<string> =>
  until('the id', async () => (await page.locator('#id').textContent()) || undefined)

/** What the page shows when the task has ended. */
const resultOn = async (page: Page): Promise<unknown> => {
  await page.locator('#ended', { hasText: 'yes' }).waitFor()
  expect(await page.locator('#status').textContent()).toBe('succeeded')
  return JSON.parse((await page.locator('#result').textContent()) ?? '')
}

/** What a user would call a bug: not a request that the page gave up itself, having heard all it wanted. */
const bugsIn = (troubles: readonly string[]): string[] =>
  troubles.filter((text) => !text.startsWith('failed: '))

// Chromium itself writes of requests that found nobody, or a server about to close.
const NETWORK = /^Failed to load resource: (net::ERR_|.* status of 503 )/
const bugsDespite = (troubles: readonly string[]): string[] =>
  bugsIn(troubles).filter((text) => !NETWORK.test(text))

describe.skipIf(!CHROMIUM)('in Chromium', () => {
  let server: ChildServer
  let browser: Browser
  let context: BrowserContext
  let gates: string
  let made = 0

  beforeAll(async () => {
    const pages = repositoryDir('pages')
    gates = await tempDir()
    await buildPages(pages)
    server = await serveChild(WALK, { WALK_PAGES: pages })
    browser = await launchChromium()
    context = await browser.newContext()
  })
  afterAll(() => browser?.close())

  describe.each(['trpc', 'rest'] as const)('a page over %s', (door) => {
    const newGate = (): string => path.join(gates, String(made++))
    const address = (query = ''): string => `${server.url}/pages/${door}${query}`
    const startPage = async (gate: string) => {
      const visited = await visit(context, address(`?gate=${gate}`))
      await moreSteps(visited.page)
      return visited
    }
    const attachPage = (id: string) => visit(context, address(`#${id}`))

    test('starts a task, is closed, and another has it by its id: live, to the end', async () => {
      const gate = newGate()
      const first = await startPage(gate)
      const id = await idOn(first.page)
      await first.page.close()
      const { page, troubles } = await attachPage(id)
      await moreSteps(page)
      expect(await page.locator('#status').textContent()).toBe('running')
      expect(await page.locator('#progress').textContent()).toMatch(/^step \d+ of attempt 1$/)
      if (process.env['TEST_SCREENSHOT'])
        await page.screenshot({ path: `${process.env['TEST_SCREENSHOT']}-${door}.png` })
      openGate(gate)
      expect(await resultOn(page)).toEqual({ steps: expect.any(Number), attempt: 1 })
      const events = await eventsOn(page)
      expectOneStory(events)
      expect(events.some(({ type }) => type === 'gap')).toBe(false)
      expect(bugsIn([...first.troubles, ...troubles])).toEqual([])
      await page.close()
    })

    test.each(['SIGKILL', 'SIGTERM'] as const)(
      'goes on where it was after a restart by %s',
      async (signal) => {
        const gate = newGate()
        const { page, troubles } = await startPage(gate)
        await server.stop(signal)
        await server.start()
        await page.locator('#progress', { hasText: 'of attempt 2' }).waitFor()
        await moreSteps(page)
        openGate(gate)
        expect(await resultOn(page)).toMatchObject({ attempt: 2 })
        const events = await eventsOn(page)
        expectOneStory(events)
        expect(events.filter(({ type }) => type === 'gap')).toHaveLength(1)
        expect(bugsDespite(troubles)).toEqual([])
        await page.close()
      },
    )

    test('goes on where it was when the network is back', async () => {
      const gate = newGate()
      const proxy = await openTcpProxy(server.port)
      // Slowly, so that the server keeps what happens meanwhile.
      const { page, troubles } = await visit(context, `${proxy.url}/pages/${door}?gate=${gate}&everyMs=50`)
      await moreSteps(page)
      await context.setOffline(true)
      // Chromium, told to be offline, opens no connection, and keeps those it has.
      proxy.cut()
      await page.waitForTimeout(500)
      const before = await stepsOn(page)
      await page.waitForTimeout(500)
      expect(await stepsOn(page)).toBe(before)
      await context.setOffline(false)
      await moreSteps(page, 20)
      openGate(gate)
      await resultOn(page)
      const events = await eventsOn(page)
      expectOneStory(events)
      expect(events.some(({ type }) => type === 'gap')).toBe(false)
      expect(bugsDespite(troubles)).toEqual([])
      await page.close()
    })

    test('is reloaded, and shows the same task', async () => {
      const gate = newGate()
      const { page, troubles } = await startPage(gate)
      const id = await idOn(page)
      await page.reload()
      await moreSteps(page)
      expect(await idOn(page)).toBe(id)
      openGate(gate)
      await resultOn(page)
      expectOneStory(await eventsOn(page))
      expect(bugsIn(troubles)).toEqual([])
      await page.close()
    })

    test('shows in two tabs what happens to one task', async () => {
      const gate = newGate()
      const one = await startPage(gate)
      const two = await attachPage(await idOn(one.page))
      await moreSteps(two.page)
      openGate(gate)
      expect(await resultOn(one.page)).toEqual(await resultOn(two.page))
      const stepsFrom = async (page: Page) =>
        (await eventsOn(page)).flatMap((event) => (event.type === 'progress' ? [event.progress.step] : []))
      const [all, later] = await Promise.all([one, two].map(({ page }) => stepsFrom(page)))
      expect(later?.length).toBeGreaterThan(2)
      expect(all?.slice(-(later?.length ?? 0))).toEqual(later)
      expect(bugsIn([...one.troubles, ...two.troubles])).toEqual([])
      await Promise.all([one.page.close(), two.page.close()])
    })

    test('of another origin starts, watches, and comes back', async () => {
      const gate = newGate()
      const elsewhere = `http://localhost:${server.port}/pages/${door}?gate=${gate}&server=${server.url}`
      const { page, troubles } = await visit(context, elsewhere)
      await moreSteps(page)
      await server.stop('SIGKILL')
      await server.start()
      await page.locator('#progress', { hasText: 'of attempt 2' }).waitFor()
      openGate(gate)
      await resultOn(page)
      expectOneStory(await eventsOn(page))
      expect(bugsDespite(troubles)).toEqual([])
      await page.close()
    })
  })
})
