/** A stored row with a checksum over all of it, so that a flipped bit is told from a value. */
import { crc32 } from 'node:zlib'

/** A stored value with its end. */
export interface Row {
  readonly key: string
  readonly sum: number
  readonly expires: number | null
  readonly value: string
}

/** The checksum that belongs to a row. */
export const sumOf = (key: string, expires: number | null, value: string): number =>
  crc32(value, crc32(`${key} ${expires} `))

/** Whether it is what was written. */
export const isIntact = ({ key, sum, expires, value }: Row): boolean => sum === sumOf(key, expires, value)
