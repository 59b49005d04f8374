/** What the system knows of processes: their children, whether they live, whose they can be. */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A user of the system. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** A process and, where the system tells (Linux), its children. */
export const familyOf = (pid: number): number[] => {
  const children = read(`/proc/${pid}/task/${pid}/children`) ?? ''
  return [pid, ...children.split(' ').filter(Boolean).map(Number)]
}

/** Whether a process runs. One that nobody has reaped yet does not. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const stat = read(`/proc/${pid}/stat`)
  return stat === undefined || !/\) [ZX] /.test(stat)
}

/**
 * Kills a process when this one is gone, however that came about: the standard input of a third one ends then. Returns
 * what calls it off.
 */
export const endWithUs = (pid: number): (() => void) => {
  const watcher = spawn('sh', ['-c', `read -r _ || kill -9 ${pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.unref()
  watcher.stdin.on('error', () => {}) // It ended first.
  return () => watcher.stdin.end('\n')
}

const idOf = (flag: '-u' | '-g', name: string): number | undefined => {
  try {
    return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch {
    return undefined
  }
}

/** Whom to run a server as that refuses to be root's; undefined when we are somebody else already. */
export const unprivileged = (...names: readonly string[]): Account | undefined => {
  if (process.getuid?.() !== 0) return undefined
  for (const name of [...names, 'nobody']) {
    const [uid, gid] = [idOf('-u', name), idOf('-g', name)]
    if (uid !== undefined && gid !== undefined) return { uid, gid }
  }
  throw new Error('There is no user nobody to run this server as')
}
