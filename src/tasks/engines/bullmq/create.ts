/** Makes the engine: its code and BullMQ's are loaded here. */
import type { TaskEngine } from '../../engine.ts'
import { FleetEngine } from '../fleet/fleet-engine.ts'
import { BullmqQueue } from './bullmq-queue.ts'
import type { Target } from './options.ts'
import type { Place } from './place.ts'
import { PostgresPlace } from './postgres-place.ts'
import { RedisPlace } from './redis-place.ts'
import { TIMING, type Timing } from './timing.ts'

/** What an engine is made of. */
export interface EngineSettings {
  readonly target: Target
  readonly name: string
  readonly prefix: string
  readonly migrate: boolean
  readonly queueLimit: number
  /** Shorter in tests. */
  readonly timing?: Timing
}

export const createEngine = ({ queueLimit, timing = TIMING, ...settings }: EngineSettings): TaskEngine => {
  const queue = new BullmqQueue({ place: placeOf({ ...settings, timing }), timing })
  return new FleetEngine({ queue, queueLimit })
}

const placeOf = ({
  target,
  prefix,
  migrate,
  ...settings
}: Omit<Required<EngineSettings>, 'queueLimit'>): Place => {
  const { where } = target
  // What else is in the options is the driver's to judge.
  if (target.kind === 'postgres')
    return new PostgresPlace({ ...settings, where, migrate, options: target.options })
  return new RedisPlace({
    ...settings,
    where,
    prefix,
    url: target.url,
    options: target.options,
  })
}
