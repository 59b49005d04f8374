/** Jobs read as tasks, by id. */
import type { StoredTask } from '../../stored-task.ts'
import { toJob, type JobCodec, type RawJob } from './job-codec.ts'
import type { Job, JobData } from './job.ts'
import type { KnownProcedures } from './known-procedures.ts'
import type { FoundJob, JobRef, Place } from './place.ts'
import { storedTaskOf } from './stored-task-of.ts'

/** A job, and what it is as a task. */
export interface Reading {
  readonly job: Job
  /** As the place gave it. */
  readonly raw: RawJob
  readonly task: StoredTask
  /** Its time is over: it is only not deleted yet. */
  readonly isOver: boolean
}

export interface JobBookParts {
  readonly place: Place
  readonly known: KnownProcedures
  readonly codec: JobCodec
}

export class JobBook {
  readonly #parts: JobBookParts

  constructor(parts: JobBookParts) {
    this.#parts = parts
  }

  /** What there is, over or not. */
  async look(id: string): Promise<Reading | undefined> {
    const found = await this.#parts.known.find(id)
    return found && toReading(found)
  }

  /** What callers may know of. */
  async find(id: string): Promise<Reading | undefined> {
    const reading = await this.look(id)
    return reading && !reading.isOver ? reading : undefined
  }

  async readAll(refs: readonly JobRef[]): Promise<Reading[]> {
    const raws = await this.#parts.place.read(refs)
    return raws.flatMap((raw, index) => {
      const reading = raw && toReading({ ...(refs[index] as JobRef), raw })
      return reading ? [reading] : []
    })
  }

  /** Whatever became of the job meanwhile. False when it is gone. */
  write(job: Job, data: JobData): Promise<boolean> {
    return this.#parts.place.setData(job, this.#parts.codec.data(data))
  }

  /** False when the job has ended, was taken or has other data since it was read. */
  replace({ job: { procedure, id }, raw }: Reading, data: JobData): Promise<boolean> {
    return this.#parts.place.replaceData({ procedure, id, raw }, this.#parts.codec.data(data))
  }
}

const toReading = ({ procedure, raw }: FoundJob): Reading | undefined => {
  const job = toJob(procedure, raw)
  if (!job) return undefined
  const now = Date.now()
  const task = storedTaskOf(job, now)
  return { job, raw, task, isOver: (task.expiresAt ?? Infinity) <= now }
}
