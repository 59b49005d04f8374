export { start } from '../errand-app.mjs'
