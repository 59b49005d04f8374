// What the workers of Errand's executors import: an app of one task that does nothing.
import { registerApp } from './executors.mjs'

registerApp(import.meta.url, () => async ({ input }) => ({ kind: 'value', value: input }))
