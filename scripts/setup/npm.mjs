// Calls the npm that called us, or the one in PATH, with a given Node.
import { delimiter, dirname } from 'node:path'
import { capture } from './capture.mjs'

const NPM_CLI = /npm-cli\.js$/

/**
 * npm looks for the machine's settings (registry, proxy, certificates) beside the Node it runs on: beside ours there are
 * none, so it is told where the machine's Node is.
 */
export const machineConfig = () => ({
  npm_config_prefix: process.env.npm_config_prefix ?? dirname(dirname(process.execPath)),
})

/** `node` is the binary npm and the install scripts run with. */
export const npm = (args, { node, cwd, cure }) => {
  const env = { ...process.env, ...machineConfig(), PATH: dirname(node) + delimiter + process.env.PATH }
  const cli = process.env.npm_execpath ?? ''
  const [program, first] = NPM_CLI.test(cli) ? [node, [cli]] : ['npm', []]
  return capture(program, [...first, ...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    env,
    cure,
  })
}
