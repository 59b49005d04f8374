/** Ways in which files go bad, as data for fast-check: cut off, bits and bytes changed, a page full of zeros. */
import fc from 'fast-check'
import type { FileName, Files } from './sample-store.ts'

/** One blow to one file. Places are fractions of its length, so that they fit every file. */
export type Damage = { readonly file: FileName } & (
  | { readonly kind: 'cut'; readonly at: Place }
  | { readonly kind: 'zero page'; readonly at: Place }
  | { readonly kind: 'flip'; readonly bits: readonly { readonly at: Place; readonly mask: number }[] }
)

/** So many bytes from the start, from the end, or from a fraction of the length. */
interface Place {
  readonly fraction: number
  readonly offset: number
}

const PAGE = 4096

const toOffset = ({ fraction, offset }: Place, length: number): number =>
  Math.min(Math.max(0, Math.floor(fraction * length) + offset), Math.max(0, length - 1))

/** Anywhere with the same chance: left alone, fast-check prefers the ends. */
const anywhere = fc.noBias(fc.nat({ max: 1e9 })).map((n) => n / 1e9)

const place: fc.Arbitrary<Place> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ fraction: anywhere, offset: fc.constant(0) }) },
  // Headers, and the last commit.
  { weight: 1, arbitrary: fc.record({ fraction: fc.constant(0), offset: fc.noBias(fc.nat({ max: 200 })) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      fraction: fc.constant(1),
      offset: fc.noBias(fc.integer({ min: -9000, max: -1 })),
    }),
  },
)

/** One bit, or a byte of any. */
const mask = fc.oneof(
  fc.nat({ max: 7 }).map((bit) => 1 << bit),
  fc.integer({ min: 1, max: 255 }),
)

const file: fc.Arbitrary<FileName> = fc.oneof(
  { weight: 8, arbitrary: fc.constant('tasks.db' as const) },
  { weight: 8, arbitrary: fc.constant('tasks.db-wal' as const) },
  { weight: 1, arbitrary: fc.constantFrom('tasks.db-shm', 'tasks.db-mark', 'tasks.db-lock') },
)

const damage: fc.Arbitrary<Damage> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      file,
      kind: fc.constant('flip' as const),
      bits: fc.array(fc.record({ at: place, mask }), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ file, kind: fc.constant('cut' as const), at: place }) },
  { weight: 1, arbitrary: fc.record({ file, kind: fc.constant('zero page' as const), at: place }) },
)

/** One blow, seldom more. */
export const damages: fc.Arbitrary<readonly Damage[]> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(damage) },
  { weight: 1, arbitrary: fc.array(damage, { minLength: 2, maxLength: 3 }) },
)

const hit = (bytes: Buffer, blow: Damage): Buffer => {
  if (bytes.length === 0) return bytes
  if (blow.kind === 'cut') return bytes.subarray(0, toOffset(blow.at, bytes.length))
  const copy = Buffer.from(bytes)
  if (blow.kind === 'flip')
    for (const { at, mask: bits } of blow.bits) {
      const offset = toOffset(at, copy.length)
      copy[offset] = copy[offset]! ^ bits
    }
  else {
    const from = Math.floor(toOffset(blow.at, copy.length) / PAGE) * PAGE
    copy.fill(0, from, Math.min(from + PAGE, copy.length))
  }
  return copy
}

/** The files after all blows. */
export const strike = (files: Files, blows: readonly Damage[]): Files => {
  const struck: Partial<Record<FileName, Buffer>> = { ...files }
  for (const blow of blows) {
    const bytes = struck[blow.file]
    if (bytes) struck[blow.file] = hit(bytes, blow)
  }
  return struck
}
