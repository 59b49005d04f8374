/** A job as Redis keeps it: the fields of its hash, or what BullMQ made of them. */
import type { JobJson } from '../../peers/bullmq.ts'
import type { RawJob } from './job-codec.ts'

/** A job that BullMQ read. */
export const ofJobJson = (id: string, job: JobJson): RawJob => ({
  id,
  data: toValue(job.data),
  progress: job.progress,
  returnvalue: toValue(job.returnvalue),
  stacktrace: toValue(job.stacktrace),
  failedReason: job.failedReason,
  attemptsStarted: job.attemptsStarted ?? 0,
  stalledCounter: job.stalledCounter ?? 0,
  processedOn: job.processedOn,
  finishedOn: job.finishedOn,
})

/** Undefined when there is no such hash. */
export const toRawJob = (id: string, fields: Readonly<Record<string, string>>): RawJob | undefined =>
  fields['data'] === undefined
    ? undefined
    : {
        id,
        data: toValue(fields['data']),
        progress: toValue(fields['progress']),
        returnvalue: toValue(fields['returnvalue']),
        stacktrace: toValue(fields['stacktrace']),
        failedReason: fields['failedReason'],
        attemptsStarted: Number(fields['ats'] ?? 0),
        stalledCounter: Number(fields['stc'] ?? 0),
        processedOn: toTime(fields['processedOn']),
        finishedOn: toTime(fields['finishedOn']),
      }

const toTime = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text)

/** BullMQ wrote it; what a human put there instead is as good as nothing. */
const toValue = (text: string | undefined): unknown => {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
