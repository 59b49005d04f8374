/** The reference page in a real browser: it keeps its own policy, needs nobody else, and calls the app. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createApp, procedure } from '../../src/index.ts'
import type { RunningServer } from '../../src/index.ts'
import { CHROMIUM, launchChromium, visit, type Visit } from '../support/chromium.ts'

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

const visitReference = async (browser: Browser, url: string): Promise<Visit> => {
  const visited = await visit(browser, url)
  await visited.page.waitForSelector('.opblock')
  return visited
}

describe.skipIf(!CHROMIUM)('the reference page in Chromium', () => {
  let server: RunningServer
  let browser: Browser

  beforeAll(async () => {
    server = await app.listen({ port: 0 })
    browser = await launchChromium()
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  it('shows every operation, without a violation, an error or a stranger', async () => {
    const { page, troubles, requests } = await visitReference(browser, `${server.url}/api/docs`)
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
    const { page, troubles } = await visitReference(browser, `${server.url}/api/docs`)
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
