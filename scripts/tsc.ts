/** `node scripts/tsc.ts -p tsconfig.json`: tsc as this repository wants it. */
import { tsc } from './lib/tsc.ts'

tsc(...process.argv.slice(2))
