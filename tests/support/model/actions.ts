/** What may happen to an engine, as data: a list of these is one life of it. */
import fc from 'fast-check'

/** How an attempt ends. */
export type Ending = 'value' | 'error' | 'callers-fault' | 'lost' | 'returned'

export type Action =
  | {
      readonly do: 'start'
      readonly procedure: Procedure
      readonly priority: number
      readonly delay: number
      /** From the start; 0 for none. */
      readonly deadline: number
      /** 0 for none. */
      readonly key: number
    }
  /** `pick` chooses among the attempts that run, or the tasks that ever were, round and round. */
  | { readonly do: 'end'; readonly pick: number; readonly ending: Ending }
  /** The store is down while a task is started, one is stopped, and an attempt ends. */
  | { readonly do: 'outage'; readonly pick: number; readonly ending: Ending }
  | { readonly do: 'progress' | 'cancel' | 'retry' | 'remove'; readonly pick: number }
  | { readonly do: 'advance'; readonly ms: number }
  /** Killed, or closed in order, and started again. */
  | { readonly do: 'crash' | 'close' }

/** Their rules are in `world.ts`. */
export const PROCEDURES = ['plain', 'once', 'few'] as const
export type Procedure = (typeof PROCEDURES)[number]

const pick = fc.nat({ max: 7 })

const start = fc.record({
  do: fc.constant('start' as const),
  procedure: fc.constantFrom(...PROCEDURES),
  priority: fc.constantFrom(0, 0, 5, -5),
  delay: fc.constantFrom(0, 0, 0, 700, 3000),
  deadline: fc.constantFrom(0, 0, 0, 1, 500, 5000),
  key: fc.constantFrom(0, 0, 1, 2),
})

const end = fc.record({
  do: fc.constant('end' as const),
  pick,
  ending: fc.constantFrom('value', 'error', 'error', 'callers-fault', 'lost', 'returned'),
})

const outage = fc.record({
  do: fc.constant('outage' as const),
  pick,
  ending: fc.constantFrom('value', 'error', 'lost'),
})

const onOne = fc.record({ do: fc.constantFrom('progress', 'cancel', 'retry', 'remove'), pick })

const advance = fc.record({
  do: fc.constant('advance' as const),
  ms: fc.constantFrom(0, 1, 9, 10, 499, 700, 1000, 1000, 5000, 60_000, 100_000),
})

const ending = fc.record({ do: fc.constantFrom('crash', 'close') })

/** Lives of an engine; shorter and plainer ones are tried when one fails. */
export const lives: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: start },
    { weight: 8, arbitrary: end },
    { weight: 4, arbitrary: onOne },
    { weight: 4, arbitrary: advance },
    { weight: 1, arbitrary: ending },
    { weight: 1, arbitrary: outage },
  ),
  { minLength: 1, maxLength: 60, size: 'max' },
)
