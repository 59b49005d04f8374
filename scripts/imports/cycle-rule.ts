/** No file reaches itself over its own imports, types included. */
import type { Finding } from '../lib/findings.ts'
import type { Link, Module, Modules } from './modules.ts'

/** A dynamic import or a worker's URL runs later, when every file is loaded. */
const countsForCycles = ({ kind }: Link): boolean => kind === 'static' || kind === 'type'

export const checkCycles = (modules: Modules): Finding[] => {
  const reported = new Set<string>()
  return [...modules.values()].flatMap((module) => {
    const cycle = reported.has(module.file) ? undefined : shortestCycle(module, modules)
    cycle?.forEach((file) => reported.add(file))
    return cycle ? [toFinding(module, cycle)] : []
  })
}

/** The files of the shortest way from a module back to itself. */
const shortestCycle = (start: Module, modules: Modules): string[] | undefined => {
  const cameFrom = new Map<string, string>()
  const waiting = [start]
  for (const module of waiting)
    for (const target of targetsOf(module)) {
      if (target === start.file) return wayTo(module.file, cameFrom)
      const next = modules.get(target)
      if (!next || cameFrom.has(target)) continue
      cameFrom.set(target, module.file)
      waiting.push(next)
    }
  return undefined
}

const targetsOf = ({ links }: Module): string[] =>
  links.filter(countsForCycles).flatMap(({ target }) => target ?? [])

const wayTo = (file: string, cameFrom: ReadonlyMap<string, string>): string[] => {
  const before = cameFrom.get(file)
  return before === undefined ? [file] : [...wayTo(before, cameFrom), file]
}

const toFinding = (start: Module, cycle: readonly string[]): Finding => {
  const second = cycle[1] ?? start.file
  return {
    file: start.file,
    line: start.links.find(({ target }) => target === second)?.line ?? 1,
    what: `a cycle: ${[...cycle, start.file].join(' → ')}`,
    why: 'files in a cycle can only be understood and loaded together',
    cure: 'move what both sides need into a file of its own that imports neither',
  }
}
