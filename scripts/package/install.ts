/** Puts a tarball into a project of its own, with exactly the packages that a user would have. */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { read } from '../lib/exec.ts'
import { ROOT } from '../lib/root.ts'

export interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly bin: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>
}

export interface Installed {
  readonly manifest: Manifest
  /** The package's folder. */
  readonly folder: string
}

/** Unpacks into `project/node_modules/…` and links what every user has: dependencies and the peers that are required. */
export const install = (tarball: string, project: string): Installed => {
  const modules = join(project, 'node_modules')
  const folder = join(modules, 'errand')
  mkdirSync(folder, { recursive: true })
  read('tar', '-xzf', tarball, '-C', folder, '--strip-components=1')
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  link([...Object.keys(manifest.dependencies), ...peers(manifest, false)], modules)
  return { manifest, folder }
}

/** Links the peers that a user may leave out. */
export const addOptionalPeers = ({ manifest, folder }: Installed): void =>
  link(peers(manifest, true), dirname(folder))

const peers = ({ peerDependencies, peerDependenciesMeta }: Manifest, optional: boolean): string[] =>
  Object.keys(peerDependencies).filter((name) => (peerDependenciesMeta[name]?.optional ?? false) === optional)

const link = (names: readonly string[], modules: string): void => {
  for (const name of names) {
    const place = join(modules, name)
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), place)
  }
}
