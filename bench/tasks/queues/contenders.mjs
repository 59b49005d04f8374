// Who takes part: the module in peers/, the server it needs, and what its figures are divided by.

/** Peers have a producer and a worker, one process each; Errand is one process that does both. */
export const contenders = {
  errand: { module: 'errand', roles: ['both'] },
  'errand (writer thread)': { module: 'errand', roles: ['both'], settings: { writer: 'thread' } },
  bullmq: { module: 'bullmq', server: 'redis', roles: ['worker', 'producer'] },
  'pg-boss': { module: 'pg-boss', server: 'postgres', roles: ['worker', 'producer'] },
  'graphile-worker': { module: 'graphile-worker', server: 'postgres', roles: ['worker', 'producer'] },
  'graphile-worker (local queue)': {
    module: 'graphile-worker',
    server: 'postgres',
    roles: ['worker', 'producer'],
    settings: { localQueue: true },
  },
}
