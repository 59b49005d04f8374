/** Which Errand this is. */
import { readFileSync } from 'node:fs'

// Two folders up from the source and from the build alike.
const PACKAGE = new URL('../../package.json', import.meta.url)

/** The version of this package. */
export const version = (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version
