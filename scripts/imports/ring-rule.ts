/** An import points only to an earlier ring, and a ring uses only the packages it lists. */
import type { Finding } from '../lib/findings.ts'
import { type Link, type Module, type Modules, ringOf } from './modules.ts'
import { type Ring, RINGS } from './rings.ts'

const WHY = 'the rings let a reader understand, and a user replace, one part at a time (ARCHITECTURE.md)'

export const checkRings = (modules: Modules, optionalPeers: ReadonlySet<string>): Finding[] =>
  [...modules.values()].flatMap((module) => {
    const ring = RINGS[ringOf(module.file)]
    if (!ring) return [outsideRings(module)]
    return module.links
      .filter((link) => link.package === undefined || !optionalPeers.has(link.package))
      .flatMap((link) => checkLink({ module, ring, link, modules }))
  })

interface Place {
  readonly module: Module
  readonly ring: Ring
  readonly link: Link
  readonly modules: Modules
}

const checkLink = ({ module, ring, link, modules }: Place): Finding[] => {
  const { target } = link
  const at = { file: module.file, line: link.line }
  if (target === undefined) return checkPackage(at, ring, link)
  if (link.kind === 'url') return checkUrl(at, link)
  if (!modules.has(target)) return [unknownTarget(at, link)]
  const [from, to] = [ringOf(module.file), ringOf(target)]
  const allowed =
    from === to || ring.rings.includes(to) || (link.kind === 'type' && ring.typesOf?.includes(to))
  return allowed ? [] : [wrongRing(at, { from, to, target, ring })]
}

type At = Pick<Finding, 'file' | 'line'>

const wrongRing = (
  at: At,
  { from, to, target, ring }: { from: string; to: string; target: string; ring: Ring },
): Finding => ({
  ...at,
  what: `${from} imports ${to} (${target}); it may import ${list(ring.rings)}${ring.typesOf ? `, and types of ${list(ring.typesOf)}` : ''}`,
  why: WHY,
  cure: 'pass what is needed in as an argument from app.ts, or move what both need to a ring below both',
})

const checkPackage = (at: At, ring: Ring, link: Link): Finding[] => {
  const name = link.package as string
  const from = ringOf(at.file)
  if (name === 'node:') return ring.browser ? [nodeInBrowser(at, from, link)] : []
  if (ring.packages.includes(name)) return []
  if (link.kind === 'type' && ring.typesOfPackages?.includes(name)) return []
  return [wrongPackage(at, { from, name, ring })]
}

const wrongPackage = (at: At, { from, name, ring }: { from: string; name: string; ring: Ring }): Finding => ({
  ...at,
  what: `${from} imports the package ${name}; it may import ${list(ring.packages)}${ring.typesOfPackages ? `, and types of ${list(ring.typesOfPackages)}` : ''}`,
  why: 'each package has its ring, so that replacing it touches that ring alone',
  cure: 'use what the ring of that package offers; for a new package add it to that ring in scripts/imports/rings.ts',
})

const nodeInBrowser = (at: At, from: string, link: Link): Finding => ({
  ...at,
  what: `${from} imports ${link.specifier}`,
  why: `${from} runs in browsers too`,
  cure: 'use what browsers and Node share (fetch, AbortSignal, crypto, streams), or move the code to a server ring',
})

/** tsc rewrites `./x.ts` in imports when it emits, but not here: dist would look for a .ts file. */
const checkUrl = (at: At, { specifier }: Link): Finding[] =>
  /\.tsx?$/.test(specifier)
    ? [
        {
          ...at,
          what: `new URL('${specifier}', import.meta.url) names a .ts file`,
          why: 'tsc leaves it as it is, so that dist looks for a file that is not there',
          cure: `take the extension from this module: new URL(\`${specifier.replace(/\.tsx?$/, '')}\${extname(import.meta.url)}\`, import.meta.url), extname from node:path`,
        },
      ]
    : []

const unknownTarget = (at: At, { specifier }: Link): Finding => ({
  ...at,
  what: `${specifier} is no TypeScript file in src`,
  why: 'dist holds only what is compiled from src',
  cure: 'write the path with its .ts extension, and keep what ships in src',
})

const outsideRings = ({ file }: Module): Finding => ({
  file,
  line: 1,
  what: `${ringOf(file)} is no ring`,
  why: WHY,
  cure: `put the file into one of ${Object.keys(RINGS).join(', ')}; a new ring is a row in scripts/imports/rings.ts`,
})

const list = (names: readonly string[]): string => (names.length > 0 ? names.join(', ') : 'nothing')
