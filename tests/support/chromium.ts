/** A real browser, where there is one. */
import { existsSync } from 'node:fs'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'

/** The binary: `TEST_CHROMIUM`, else where it usually is. Undefined leaves a file's tests out. */
export const CHROMIUM = [
  process.env['TEST_CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find(existsSync)

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

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM as string, args: FLAGS })

/** A page, with what goes wrong on it. */
export interface Visit {
  readonly page: Page
  /** Console errors, uncaught errors, policy violations, failed requests. */
  readonly troubles: string[]
  readonly requests: string[]
}

const REPORT = `document.addEventListener('securitypolicyviolation', (event) =>
  console.error('violates ' + event.violatedDirective + ': ' + event.blockedURI))`

/** Opens a page and notes everything that goes wrong on it. */
export const visit = async (browser: Browser | BrowserContext, url: string): Promise<Visit> => {
  const page = await browser.newPage()
  const troubles: string[] = []
  const requests: string[] = []
  page.on('console', (message) => void (message.type() === 'error' && troubles.push(message.text())))
  page.on('pageerror', (error) => void troubles.push(String(error)))
  page.on('requestfailed', (request) => void troubles.push(`failed: ${request.url()}`))
  page.on('request', (request) => void requests.push(request.url()))
  await page.addInitScript(REPORT)
  await page.goto(url)
  return { page, troubles, requests }
}
