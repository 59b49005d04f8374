// The A/A control, as raw-again in the REST set.
export { start } from './raw-trpc.mjs'
