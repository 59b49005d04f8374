// node_modules, as package-lock.json says.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withLock } from './lock.mjs'
import { npm } from './npm.mjs'
import { MODULES, ROOT } from './places.mjs'
import { step } from './say.mjs'

// npm writes this copy of the lock as the last act of an install, so it also tells a broken-off one.
const INSTALLED = join(MODULES, '.package-lock.json')
const LOCK = join(ROOT, 'package-lock.json')
const CURE =
  'look whether npm reaches its registry (npm ping); when it says that the lock is out of step with package.json, run npm install and commit package-lock.json'

/** Runs `npm ci` unless what is installed is what the lock names. */
export const ensurePackages = async (node) => {
  if (isInstalled()) return
  await withLock(async () => {
    if (isInstalled()) return
    await step('installing packages (npm ci)', () =>
      npm(['ci', '--include=dev'], { node, cwd: ROOT, cure: CURE }),
    )
  })
}

const isInstalled = () => {
  if (!existsSync(INSTALLED)) return false
  const installed = packagesOf(INSTALLED)
  return Object.entries(packagesOf(LOCK)).every(
    ([path, { version, optional, devOptional }]) =>
      path === '' ||
      installed[path]?.version === version ||
      (!(path in installed) && (optional || devOptional)),
  )
}

const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages
