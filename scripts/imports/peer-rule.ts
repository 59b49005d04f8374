/** An optional peer is named by exactly one file, and never loaded by those who did not ask for it. */
import type { Finding } from '../lib/findings.ts'
import type { Link, Module, Modules } from './modules.ts'

/** `entries`: the files that every user loads. */
export const checkPeers = (
  modules: Modules,
  peers: ReadonlySet<string>,
  entries: readonly string[],
): Finding[] => {
  const loadedByAll = loadedFrom(entries, modules)
  const users = [...modules.values()].flatMap((module) =>
    module.links.flatMap((link) =>
      link.package && peers.has(link.package) ? [{ module, link, peer: link.package }] : [],
    ),
  )
  return [...twoFiles(users), ...users.filter((use) => isLoadedTooSoon(use, loadedByAll)).map(tooSoon)]
}

interface Use {
  readonly module: Module
  readonly link: Link
  readonly peer: string
}

const twoFiles = (uses: readonly Use[]): Finding[] => {
  const firstFile = new Map<string, string>()
  return uses.flatMap((use) => {
    const first = firstFile.get(use.peer) ?? use.module.file
    firstFile.set(use.peer, first)
    return first === use.module.file ? [] : [secondFile(use, first)]
  })
}

const secondFile = ({ module, link, peer }: Use, first: string): Finding => ({
  file: module.file,
  line: link.line,
  what: `${peer} is an optional peer and ${first} imports it already`,
  why: 'one file per optional package shows at once what breaks without it, types included',
  cure: `re-export what is needed from ${first}, or pass it in`,
})

const isLoadedTooSoon = ({ module, link }: Use, loadedByAll: ReadonlySet<string>): boolean =>
  link.kind === 'static' && loadedByAll.has(module.file)

const tooSoon = ({ module, link, peer }: Use): Finding => ({
  file: module.file,
  line: link.line,
  what: `${peer} is an optional peer, loaded by everyone who imports errand or runs its command`,
  why: 'whoever has not installed it could not start',
  cure: `import it where it is used, with await import('${peer}'), and name the install line when that fails; or give the file an entry of its own in package.json`,
})

const loadedFrom = (entries: readonly string[], modules: Modules): Set<string> => {
  const loaded = new Set(entries)
  for (const file of loaded)
    for (const { kind, target } of modules.get(file)?.links ?? [])
      if (kind === 'static' && target !== undefined) loaded.add(target)
  return loaded
}
