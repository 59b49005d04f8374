import { executorSuite } from 'errand/testing/suites'
import { createThreads } from '../../src/tasks/executors/threads.ts'

executorSuite('threads', createThreads)
