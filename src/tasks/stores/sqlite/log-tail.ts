/**
 * Looks for commits in SQLite's write-ahead log that SQLite itself will pass over. Each frame's checksum
 * builds on the one before; after the first that is wrong, SQLite takes the log for ended.
 * The format: https://sqlite.org/fileformat2.html#the_write_ahead_log
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs'

const HEADER = 32
const FRAME_HEADER = 24
const PAGE = 4096
const FRAME = FRAME_HEADER + PAGE

/** The lowest bit says which end of its words comes first in checksums. */
const MAGIC = 0x377f0682

type Sums = readonly [number, number]

/** Of bytes, 8 at a time, on top of what came before. */
const checksum = (bytes: DataView, littleEndian: boolean, [first, second]: Sums): Sums => {
  for (let at = 0; at < bytes.byteLength; at += 8) {
    first = (first + bytes.getUint32(at, littleEndian) + second) >>> 0
    second = (second + bytes.getUint32(at + 4, littleEndian) + first) >>> 0
  }
  return [first, second]
}

const part = (bytes: DataView, from: number, length: number): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset + from, length)

/** Two words that follow each other in the file, where they are always big-endian. */
const pairAt = (bytes: DataView, at: number): Sums => [bytes.getUint32(at), bytes.getUint32(at + 4)]

const isPair = ([a, b]: Sums, [c, d]: Sums): boolean => a === c && b === d

interface Header {
  readonly littleEndian: boolean
  readonly salts: Sums
  readonly sums: Sums
}

const readHeader = (bytes: DataView): Header | undefined => {
  const magic = bytes.getUint32(0)
  const littleEndian = magic === MAGIC
  const sums = checksum(part(bytes, 0, 24), littleEndian, [0, 0])
  const isValid =
    (magic | 1) === (MAGIC | 1) && bytes.getUint32(8) === PAGE && isPair(sums, pairAt(bytes, 24))
  return isValid ? { littleEndian, salts: pairAt(bytes, 16), sums } : undefined
}

/** How many commits lie in the log behind a damaged place. */
export const countUnreachable = (store: string): number => {
  const path = `${store}-wal`
  if (!existsSync(path)) return 0
  const file = openSync(path, 'r')
  const bytes = new DataView(new ArrayBuffer(FRAME))
  try {
    return scan((length, position) =>
      readSync(file, bytes, 0, length, position) === length ? part(bytes, 0, length) : undefined,
    )
  } finally {
    closeSync(file)
  }
}

/** Bytes of the log, until the next are read; undefined when it has not as many. */
type Read = (length: number, position: number) => DataView | undefined

const scan = (read: Read): number => {
  const first = read(HEADER, 0)
  const header = first && readHeader(first)
  let sums = header?.sums
  let unreachable = 0
  for (let at = HEADER; ; at += FRAME) {
    const frame = read(FRAME, at)
    if (!frame) return unreachable
    if (header && !isPair(pairAt(frame, 8), header.salts)) continue // Left from before the log began anew.
    sums = header && sums && follow(frame, header, sums)
    const isCommit = frame.getUint32(4) !== 0
    if (isCommit && !sums) unreachable += 1
  }
}

/** The checksums after a frame, or undefined when it is damaged. */
const follow = (frame: DataView, { littleEndian }: Header, before: Sums): Sums | undefined => {
  const head = checksum(part(frame, 0, 8), littleEndian, before)
  const sums = checksum(part(frame, FRAME_HEADER, PAGE), littleEndian, head)
  return isPair(sums, pairAt(frame, 16)) ? sums : undefined
}
