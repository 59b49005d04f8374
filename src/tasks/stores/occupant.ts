/** A process as its mark tells of it, to others and to the humans who read an error. */
import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Who has a store. */
export interface Occupant {
  /** Differs for each time a store is opened. */
  readonly run: string
  readonly host: string
  readonly pid: number
  /** Where its process id counts. */
  readonly place: string
  readonly since: string
}

const orNothing = (read: () => string): string => {
  try {
    return read().trim()
  } catch {
    return ''
  }
}

/**
 * On Linux the boot of the kernel and the namespace of process ids: containers share a kernel, may share a host's name,
 * and each has a process 1.
 */
const place = (): string =>
  process.platform === 'linux'
    ? [
        orNothing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
        orNothing(() => readlinkSync('/proc/self/ns/pid')),
      ].join(' ')
    : hostname()

/** A mark of this process. */
export const createMark = (): string => {
  const me: Occupant = {
    run: randomUUID(),
    host: hostname(),
    pid: process.pid,
    place: place(),
    since: new Date().toISOString(),
  }
  return JSON.stringify(me)
}

/** Undefined for what is no mark of ours. */
export const readMark = (mark: string): Occupant | undefined => {
  try {
    const read = JSON.parse(mark) as Occupant | null
    return typeof read?.pid === 'number' ? read : undefined
  } catch {
    return undefined
  }
}

/** Whether a process is known to have ended. Of one elsewhere nothing is known. */
export const hasEnded = ({ pid, place: where }: Occupant): boolean => {
  if (where !== place() || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** `process 12 on host a, since …` */
export const describeMark = (mark: string): string => {
  const occupant = readMark(mark)
  return occupant
    ? `process ${occupant.pid} on host ${occupant.host}, since ${occupant.since}`
    : 'a process that can not be named'
}
