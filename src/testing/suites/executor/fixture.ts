/** The modules that executors under test import, by their place beside this one. */
import { extname } from 'node:path'

/** What each is, says its own file. */
export type FixtureName = 'app' | 'broken' | 'fragile' | 'no-app' | 'slow' | 'nowhere'

/** The URL of a module; `nowhere` is none. */
export const fixture = (name: FixtureName): string =>
  new URL(`./fixtures/${name}${extname(import.meta.url)}`, import.meta.url).href
