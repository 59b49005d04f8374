import { createProcesses } from '../../src/tasks/executors/processes.ts'
import { executorSuite } from './executor-suite.ts'

executorSuite('processes', createProcesses)
