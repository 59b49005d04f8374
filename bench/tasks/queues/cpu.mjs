// Processor time of a server that is several processes, from Linux's /proc (proc(5)).
import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts in ticks of 10 ms. */
const TICK_MS = 10

/** Of a process, of its children, and of those children that ended. */
export function treeCpuMs(pid) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(readStat)
    .filter((stat) => stat && (stat.pid === pid || stat.parent === pid))
    .reduce((sum, stat) => sum + stat.own + (stat.pid === pid ? stat.ended : 0), 0)
}

function readStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in brackets may hold anything: count from its end.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [user, system, endedUser, endedSystem] = fields.slice(11, 15).map((ticks) => ticks * TICK_MS)
    return { pid: Number(pid), parent: Number(fields[1]), own: user + system, ended: endedUser + endedSystem }
  } catch {
    return undefined // It ended meanwhile.
  }
}
