/** The reference page in a real browser: it keeps its own policy, needs nobody else, and calls the app. */
import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createApp, procedure } from '../../src/index.ts'
import type { RunningServer } from '../../src/index.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const app = createApp(
  {
    add: procedure.query({
      input: z.object({ a: z.number(), b: z.number() }),
      output: z.number(),
      meta: { examples: [{ input: { a: 2, b: 40 }, output: 42 }] },
      handler: ({ input }) => input.a + input.b,
    }),
    greet: procedure.query({
      input: z.object({ name: z.string() }),
      output: z.string(),
      meta: { rest: { method: 'GET', path: '/greet/{name}' } },
      handler: ({ input }) => `Grüß dich, ${input.name}`,
    }),
  },
  { prefix: '/api', profile: 'test', openapi: { title: 'Fixture <b>of</b> the "docs"' } },
)

interface Visit {
  readonly page: Page
  /** Console errors, uncaught errors, policy violations, failed requests. */
  readonly troubles: string[]
  readonly requests: string[]
}

const REPORT = `document.addEventListener('securitypolicyviolation', (event) =>
  console.error('violates ' + event.violatedDirective + ': ' + event.blockedURI))`

/** Opens a page and notes everything that goes wrong on it. */
const visit = async (browser: Browser, url: string): Promise<Visit> => {
  const page = await browser.newPage()
  const troubles: string[] = []
  const requests: string[] = []
  page.on('console', (message) => void (message.type() === 'error' && troubles.push(message.text())))
  page.on('pageerror', (error) => void troubles.push(String(error)))
  page.on('requestfailed', (request) => void troubles.push(`failed: ${request.url()}`))
  page.on('request', (request) => void requests.push(request.url()))
  await page.addInitScript(REPORT)
  await page.goto(url)
  await page.waitForSelector('.opblock')
  return { page, troubles, requests }
}

describe.skipIf(!CHROMIUM)('the reference page in Chromium', () => {
  let server: RunningServer
  let browser: Browser

  beforeAll(async () => {
    server = await app.listen({ port: 0 })
    browser = await chromium.launch({ executablePath: CHROMIUM as string, args: FLAGS })
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  it('shows every operation, without a violation, an error or a stranger', async () => {
    const { page, troubles, requests } = await visit(browser, `${server.url}/api/docs`)
    expect(await page.title()).toBe('API reference')
    expect(await page.locator('.opblock-summary-path').allInnerTexts()).toEqual([
      '/api/add',
      '/api/greet/{name}',
    ])
    expect(await page.locator('.info .title').innerText()).toContain('Fixture <b>of</b> the "docs"')
    expect(await page.locator('.info a.link').getAttribute('href')).toBe('/api/openapi.json')
    expect(troubles).toEqual([])
    expect(requests.filter((url) => !url.startsWith(server.url) && !url.startsWith('data:'))).toEqual([])
    await page.close()
  })

  it('"Try it out" calls the app and shows its answer', async () => {
    const { page, troubles } = await visit(browser, `${server.url}/api/docs`)
    await page.locator('.opblock-summary-path', { hasText: '/api/add' }).click()
    await page.locator('#operations-default-add button.execute').click()
    const answer = page
      .locator('#operations-default-add .live-responses-table .response-col_description .microlight')
      .first()
    expect(await answer.innerText()).toContain('42')

    await page.locator('.opblock-summary-path', { hasText: '/api/greet' }).click()
    await page.locator('#operations-default-greet input[placeholder="name"]').fill('Änne')
    await page.locator('#operations-default-greet button.execute').click()
    const greeting = page
      .locator('#operations-default-greet .live-responses-table .response-col_description .microlight')
      .first()
    expect(await greeting.innerText()).toContain('Grüß dich, Änne')
    expect(troubles).toEqual([])
    await page.close()
  })
})
