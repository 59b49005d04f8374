/** In which order test files run: those that take long begin first, so that none of them runs on alone at the end. */
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Those that take ten seconds or more on two cores, the longest first. They wait more than they work. */
export const LONG = [
  'tests/e2e/many-machines.test.ts',
  'tests/conformance/engine-bullmq.test.ts',
  'tests/kill/restarts.test.ts',
  'tests/kill/fleets.test.ts',
  'tests/e2e/rolling-deploy.test.ts',
  'tests/integration/worker-faults.test.ts',
  'tests/integration/drain.test.ts',
  'tests/e2e/handles.test.ts',
  'tests/conformance/engine-local.test.ts',
  'tests/integration/docs.test.ts',
  'tests/e2e/browser.test.ts',
  'tests/soak/soak.test.ts',
  'tests/integration/cli-generate.test.ts',
  'tests/integration/store-corruption.test.ts',
  'tests/e2e/sigterm-under-load.test.ts',
  'tests/conformance/engine-pgmq.test.ts',
  'tests/integration/hostile.test.ts',
  'tests/e2e/clients-project.test.ts',
  'tests/kill/bullmq.test.ts',
  'tests/e2e/deploy-image.test.ts',
  'tests/conformance/executor-processes.test.ts',
  'tests/kill/local.test.ts',
  'tests/integration/many-records.test.ts',
  'tests/integration/bullmq-outage.test.ts',
  'tests/integration/redis-outage.test.ts',
  'tests/e2e/clients-compile.test.ts',
  'tests/kill/pgmq.test.ts',
  'tests/security/authorization.test.ts',
  'tests/integration/cli.test.ts',
  'tests/integration/traces.test.ts',
  'tests/kill/redis.test.ts',
  'tests/integration/logs.test.ts',
  'tests/integration/bullmq-start.test.ts',
  'tests/regression/closing-over-a-frozen-server.test.ts',
  'tests/integration/hooks.test.ts',
  'tests/integration/executors.test.ts',
  'tests/conformance/executor-threads.test.ts',
  'tests/conformance/store-keyv.test.ts',
  'tests/e2e/observed-processes.test.ts',
  'tests/regression/ready-in-an-outage.test.ts',
  'tests/security/unknown-ids.test.ts',
  'tests/e2e/moving.test.ts',
  'tests/e2e/pgmq-processes.test.ts',
  'tests/integration/trpc-clients.test.ts',
  'tests/integration/trpc-parity.test.ts',
  'tests/integration/redis-store.test.ts',
  'tests/integration/rest-responses.test.ts',
  'tests/integration/watching.test.ts',
]

const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = LONG.findIndex((file) => moduleId.endsWith(`/${file}`))
  return rank < 0 ? LONG.length : rank
}

/** Given to vitest. The others come as vitest would have them: as long as they took the last time, or by their size. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => rankOf(a) - rankOf(b))
  }
}
