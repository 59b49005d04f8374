/** Where engines under test keep their tasks, as the author of an engine describes it to the suite. */
import type { EngineCapabilities, TaskEngine } from '../../../tasks/engine.ts'
import type { Need } from '../cases.ts'

/** One place where tasks live, used by nobody else, and engines over it. */
export interface EnginePlace {
  /**
   * An engine over what is there, not yet open; while another is open, one more host of the same place. Its queue takes
   * at most 1000.
   */
  create(): Promise<TaskEngine>
  /**
   * Abandons an engine without closing it, as a killed process would: from now on it changes nothing. What it was
   * acknowledged is there for the next one. `dispose` releases what is left of it.
   */
  crash(engine: TaskEngine): Promise<void> | void
  /** Takes the lease of a running task away, as if its host had been cut off for too long. */
  loseLease?(id: string): Promise<void>
  /** How long a lease lasts that is not renewed, in ms. */
  readonly lease?: number
  /** Releases everything; the engines that were not abandoned are closed. */
  dispose(): Promise<void> | void
}

/** What the needs of a case are asked of. */
export interface EngineSubject {
  readonly capabilities: EngineCapabilities
  readonly place: EnginePlace
}

/** What some cases need. */
export const NEEDS = {
  durability: {
    isMet: ({ capabilities }) => capabilities.durable !== 'none',
    otherwise: 'its tasks end with the process',
  },
  hosts: { isMet: ({ capabilities }) => capabilities.multiHost, otherwise: 'one process owns its tasks' },
  losableLeases: {
    isMet: ({ place }) => place.loseLease !== undefined,
    otherwise: 'its place has no way to take a lease away',
  },
  leases: { isMet: ({ place }) => place.lease !== undefined, otherwise: 'its place tells of no lease' },
} as const satisfies Record<string, Need<EngineSubject>>
