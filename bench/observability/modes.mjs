// What is measured: each mode against `off`. `again` is `off` once more, so that what it differs by is noise.

export const modes = {
  off: { options: { logger: false } },
  again: { options: { logger: false } },
  logs: { options: { logger: { to: 'stderr', format: 'json' } } },
}
