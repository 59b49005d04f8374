/** The routes of the reference page. */
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createApp, procedure, type AppOptions } from '../../src/index.ts'

const tree = { ping: procedure.query({ input: z.void(), output: z.void(), handler: () => undefined }) }
const appWith = (options: AppOptions = {}) => createApp(tree, { profile: 'test', ...options })
const get = (path: string, headers: Record<string, string> = {}, options: AppOptions = {}) =>
  appWith(options).fetch(new Request(`http://localhost${path}`, { headers }))

describe('the reference page', () => {
  it('is there at once, under a policy that runs no inline script and loads nothing from elsewhere', async () => {
    const answer = await get('/docs')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(answer.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
        "font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
    )
    const html = await answer.text()
    expect(html).not.toMatch(/<script(?![^>]* src=)/)
    expect(html).not.toMatch(/https?:/)
    expect(html).toContain('<meta charset="utf-8">')
    expect(html).toContain('href="/openapi.json"')
  })

  it('its files are there, typed, in UTF-8, and kept by the browser', async () => {
    const html = await (await get('/docs')).text()
    const paths = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] as string)
    expect(paths).toHaveLength(5)
    for (const path of paths.filter((each) => each.startsWith('/docs/'))) {
      const answer = await get(path)
      expect(answer.status, path).toBe(200)
      expect(answer.headers.get('content-type'), path).toMatch(
        /^(text\/(css|javascript); charset=utf-8|image\/png)$/,
      )
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      expect(answer.headers.get('cache-control')).toMatch(/^public, max-age=\d{5,}/)
    }
  })

  it('its files are compressed for those who ask', async () => {
    const path = '/docs/swagger-ui.css'
    const plain = new Uint8Array(await (await get(path)).arrayBuffer())
    const answer = await get(path, { 'accept-encoding': 'br, gzip;q=0.8' })
    expect(answer.headers.get('content-encoding')).toBe('gzip')
    expect(answer.headers.get('vary')).toBe('accept-encoding')
    expect(gunzipSync(await answer.arrayBuffer()).equals(plain)).toBe(true)
    expect((await get(path, { 'accept-encoding': 'gzip;q=0' })).headers.get('content-encoding')).toBeNull()
  })

  it('moves with the prefix and the option, or goes', async () => {
    const html = await (
      await get('/api/reference', {}, { prefix: '/api', routes: { docs: '/reference' } })
    ).text()
    expect(html).toContain('src="/api/reference/init.js"')
    expect(html).toContain('data-document="/api/openapi.json"')
    expect((await get('/docs', {}, { routes: { docs: false } })).status).toBe(404)
    expect((await get('/docs', {}, { routes: { openapi: false } })).status).toBe(404)
  })
})
