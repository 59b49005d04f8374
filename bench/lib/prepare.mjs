import { spawnSync } from 'node:child_process'
import { canBuild, errandExists, errandFile, root } from '../errand.mjs'

/** Builds Errand so that nobody measures last week's dist, and says what will be measured. */
export function prepareErrand(build = false) {
  if (build && canBuild()) runBuild()
  if (!errandExists()) console.error(`note: ${errandFile()} does not exist, errand is left out`)
  else if (errandFile().endsWith('.ts'))
    console.error('note: measuring the source, not dist: cold starts include stripping types')
}

function runBuild() {
  const { status } = spawnSync('npm', ['run', 'build'], { cwd: root, stdio: ['ignore', 2, 2] }) // its output is not ours: stderr
  if (status !== 0) throw new Error('the build failed; `--no-build` measures what is there')
}

/** Without Errand the peers still run. */
export const withoutMissing = (peers) => (errandExists() ? peers : peers.filter((peer) => !peer.startsWith('errand')))
