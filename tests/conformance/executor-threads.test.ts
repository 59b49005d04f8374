import { createThreads } from '../../src/tasks/executors/threads.ts'
import { executorSuite } from './executor-suite.ts'

executorSuite('threads', createThreads)
