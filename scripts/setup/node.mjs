// The Node to develop with: the machine's when it is new enough, else one of our own from npm's `node` package.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withLock } from './lock.mjs'
import { npm } from './npm.mjs'
import { TOOLCHAIN } from './places.mjs'
import { SetupError, step } from './say.mjs'

const VERSION = '24.21.0'
const PACKAGE = join(TOOLCHAIN, 'node_modules/node/package.json')
const BINARY = join(TOOLCHAIN, 'node_modules/.bin/node')
const CURE = `install Node 24 yourself (https://nodejs.org), or look whether npm reaches its registry: npm view node@${VERSION}`

/** The path of a Node that strips types: 22.18 or a later 22, or 24 and up. */
export const ensureNode = async () => {
  if (fits(process.versions.node)) return process.execPath
  if (!isInstalled()) await withLock(() => isInstalled() || install())
  return BINARY
}

const fits = (version) => {
  const [major, minor] = version.split('.').map(Number)
  return major >= 24 || (major === 22 && minor >= 18)
}

const isInstalled = () => existsSync(BINARY) && JSON.parse(readFileSync(PACKAGE, 'utf8')).version === VERSION

const install = () =>
  step(
    `Node here is ${process.versions.node}, Errand needs 22.18 or later: installing ${VERSION} into .toolchain/`,
    async () => {
      // npm 11 runs a dependency's install script only where package.json allows it; this one fetches the binary.
      const manifest = { private: true, allowScripts: { node: true }, dependencies: { node: VERSION } }
      mkdirSync(TOOLCHAIN, { recursive: true })
      writeFileSync(join(TOOLCHAIN, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
      await npm(['install'], { node: process.execPath, cwd: TOOLCHAIN, cure: CURE })
      if (!isInstalled()) throw new SetupError('npm installed its `node` package without the binary', CURE)
    },
  )
