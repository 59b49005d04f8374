import { executorSuite, executorTasks } from 'errand/testing/suites'
import { createInline } from '../../src/tasks/executors/inline.ts'

const SHARED = 'what ends a worker ends the host'
const NO_IMPORT = 'imports nothing'

executorSuite(
  'inline',
  ({ workers }) => createInline({ lookup: (path) => executorTasks[path], slots: workers }),
  {
    skip: {
      'tells why it can not be opened, and can be tried again': NO_IMPORT,
      'does not open once it is closed': 'there is nothing to open',
      'delivers progress before a busy loop that follows it': 'the test itself can not run meanwhile',
      'kills a busy loop and serves on': 'nothing on the event loop can be stopped',
      'does not hold calls up behind a long one': 'nothing on the event loop can be stopped',
      'loses the call of a worker that exits with 0': SHARED,
      'loses the call of a worker that exits with 1': SHARED,
      'serves on after as many exits as there are workers': SHARED,
      'loses the call of a worker with an uncaught throw': SHARED,
      'loses the call of a worker with an uncaught null': SHARED,
      'loses the call of a worker with an unhandled rejection': SHARED,
      'loses the call of a worker out of memory': SHARED,
      'fails the call that overflows the stack, and keeps its worker': SHARED,
      'ends the call of a worker that closes its channel': SHARED,
      'outlives a throw after the result': SHARED,
      'reports a death when the only call in the worker is given back': SHARED,
      'returns calls that waited in a worker that died': SHARED,
      'tells why a module can not be imported, for every call': NO_IMPORT,
      'tells that a module has no app': NO_IMPORT,
      'gives up a module whose import never ends': NO_IMPORT,
      'loses the call of a worker that dies of itself before it begins': NO_IMPORT,
      'passes the environment on': 'the host has one environment',
    },
  },
)
