import { executorSuite } from 'errand/testing/suites'
import { createProcesses } from '../../src/tasks/executors/processes.ts'

executorSuite('processes', createProcesses)
