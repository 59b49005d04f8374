/** All rules on imports, over texts by path: no file is read here. */
import type { Finding } from '../lib/findings.ts'
import { checkCycles } from './cycle-rule.ts'
import { toModules } from './modules.ts'
import { checkPeers } from './peer-rule.ts'
import { checkRings } from './ring-rule.ts'
import { RINGS } from './rings.ts'

export interface Manifest {
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

/** What every user loads; other entries are for those who asked. */
const ENTRIES = ['src/index.ts', 'src/cli/errand.ts']

export const checkImports = (texts: ReadonlyMap<string, string>, manifest: Manifest): Finding[] => {
  const modules = toModules(texts)
  const peers = unlistedPeers(manifest)
  return [...checkRings(modules, peers), ...checkCycles(modules), ...checkPeers(modules, peers, ENTRIES)]
}

/** A peer that a ring lists, as @trpc/client is what `errand/client` is for, is that ring's. */
const LISTED = new Set(Object.values(RINGS).flatMap(({ packages }) => packages))

const unlistedPeers = ({ peerDependenciesMeta = {} }: Manifest): Set<string> =>
  new Set(
    Object.entries(peerDependenciesMeta).flatMap(([name, { optional }]) =>
      optional && !LISTED.has(name) ? [name] : [],
    ),
  )
