// The one place that knows where Errand is. Everything else imports it from here.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = fileURLToPath(new URL('../', import.meta.url))

/**
 * The entry file to measure. The built one where there is one: users run that, and stripping types would be charged
 * to the start. `BENCH_ERRAND=/other/checkout/dist/index.js` measures another, `BENCH_ERRAND=src` the source.
 */
export function errandFile() {
  const asked = process.env.BENCH_ERRAND
  if (asked && asked !== 'src') return path.resolve(asked)
  const built = `${root}dist/index.js`
  return asked === 'src' || !existsSync(built) ? `${root}src/index.ts` : built
}

export const errandExists = () => existsSync(errandFile())

/** `npm run build` makes what we measure, if the repository has it. */
export const canBuild = () =>
  !process.env.BENCH_ERRAND && 'build' in (JSON.parse(readFileSync(`${root}package.json`, 'utf8')).scripts ?? {})

/** Errand, and the very zod it imports: schemas from a second copy would load zod twice in our processes alone. */
export async function loadErrand() {
  const entry = pathToFileURL(errandFile())
  const [errand, { z }] = await Promise.all([import(entry), import(new URL('../node_modules/zod/index.js', entry))])
  return { ...errand, z }
}
