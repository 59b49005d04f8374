// The A/A control: the same server in another process. What it differs from `raw` by is noise.
export { start } from './raw.mjs'
