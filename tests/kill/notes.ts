/**
 * What handlers themselves say of their runs: lines in a file beside the store, which no engine knows of. A line is one
 * write of one thread, so a SIGKILL leaves it whole or leaves it out.
 */
import { openSync, readFileSync, writeSync } from 'node:fs'

/** A handler began, or is about to return or throw. */
export interface Note {
  readonly what: 'begin' | 'end'
  readonly id: string
  readonly attempt: number
  /** Epoch ms. */
  readonly at: number
  /** Of the process it ran in. */
  readonly pid: number
}

/** Where the file is. */
export const NOTES_VARIABLE = 'KILL_NOTES'

let file: number | undefined

/** Called in a worker. */
export const note = (what: Note['what'], { taskId, attempt }: { taskId: string; attempt: number }): void => {
  file ??= openSync(process.env[NOTES_VARIABLE] as string, 'a')
  writeSync(file, `${what} ${taskId} ${attempt} ${Date.now()} ${process.pid}\n`)
}

const toNote = (line: string): Note => {
  const [what, id, attempt, at, pid] = line.split(' ')
  return { what: what as Note['what'], id: id!, attempt: Number(attempt), at: Number(at), pid: Number(pid) }
}

/** All notes, in the order they were written. */
export const readNotes = (path: string): Note[] =>
  readFileSync(path, 'utf8').split('\n').filter(Boolean).map(toNote)
