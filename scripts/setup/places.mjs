// Where the set-up reads and writes.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const TOOLCHAIN = join(ROOT, '.toolchain')
export const MODULES = join(ROOT, 'node_modules')
