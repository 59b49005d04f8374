/** Where the workers' side begins, from source or from a build. */
import { isSource } from './exec-argv.ts'

export const ENTRY = new URL(isSource ? '../worker/entry.ts' : '../worker/entry.js', import.meta.url).href
