/**
 * What a power cut leaves: replays the system calls of a program on files in memory, and holds of each file what
 * was in it when it was last fsynced. Nothing else is taken to be on the disk.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { SystemCall } from './strace.ts'

/** Files of one directory. */
export class DurableFiles {
  readonly #dir: string
  readonly #written = new Map<string, Buffer>()
  readonly #durable = new Map<string, Buffer>()
  /** Counts changes of what is durable. */
  version = 0

  constructor(dir: string) {
    this.#dir = dir
  }

  /** Takes the next call. Renames and removals are taken to be durable at once, as by a journal. */
  replay({ name, target, bytes, number }: SystemCall): void {
    if (name === 'rename' || name === 'unlink') return this.#move(bytes.toString(), name)
    if (!target.startsWith(`${this.#dir}/`)) return
    const before = this.#written.get(target) ?? Buffer.alloc(0)
    if (name === 'pwrite64') this.#written.set(target, overwritten(before, bytes, number))
    if (name === 'write') this.#written.set(target, Buffer.concat([before, bytes]))
    if (name === 'ftruncate') this.#written.set(target, resized(before, number))
    if (name === 'fsync' || name === 'fdatasync') this.#set(target, before)
  }

  /** Makes a directory of what is durable. */
  writeTo(dir: string): void {
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir)
    for (const [file, bytes] of this.#durable) writeFileSync(join(dir, basename(file)), bytes)
  }

  #set(file: string, bytes: Buffer | undefined): void {
    this.version += 1
    if (bytes) this.#durable.set(file, bytes)
    else this.#durable.delete(file)
  }

  #move(from: string, how: 'rename' | 'unlink'): void {
    if (!from.startsWith(`${this.#dir}/`)) return
    // The only file that is renamed is a draft of another.
    const to = from.replace(/\.new$/, '')
    if (how === 'rename') {
      this.#written.set(to, this.#written.get(from)!)
      this.#set(to, this.#durable.get(from))
    }
    this.#written.delete(from)
    this.#set(from, undefined)
  }
}

const resized = (bytes: Buffer, length: number): Buffer =>
  Buffer.concat([bytes.subarray(0, length), Buffer.alloc(Math.max(0, length - bytes.length))])

const overwritten = (before: Buffer, bytes: Buffer, at: number): Buffer => {
  const next = resized(before, Math.max(before.length, at + bytes.length))
  bytes.copy(next, at)
  return next
}
