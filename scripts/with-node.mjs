// Runs a command with a Node that fits, its packages installed and the programs it needs in place.
//
//   node scripts/with-node.mjs [--needs=chromium] command [argument …]
//
// Plain JavaScript, for it runs on whatever Node the machine has (20 or later) and before anything is installed.
import { ensureNode } from './setup/node.mjs'
import { ensurePackages } from './setup/packages.mjs'
import { ensurePrograms } from './setup/programs.mjs'
import { run } from './setup/run.mjs'
import { fail, SetupError } from './setup/say.mjs'

const NEEDS = '--needs='

const [first = '', ...others] = process.argv.slice(2)
const needs = first.startsWith(NEEDS) ? first.slice(NEEDS.length).split(',') : []
const command = needs.length > 0 ? others : [first, ...others]

try {
  const node = await ensureNode()
  await ensurePackages(node)
  const env = await ensurePrograms(needs)
  run(command, { node, env })
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  fail(error)
}
