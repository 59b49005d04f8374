/** The quickstart: every kind of procedure once. It declares; `main.ts` listens. */
import { createApp } from 'errand'
import { add, greet } from './greetings.ts'
import { countPrimes } from './primes.ts'
import { thumbnail } from './thumbnail.ts'
import { ticks } from './ticks.ts'
import * as users from './users.ts'

export default createApp(
  { add, greet, users: { ...users }, countPrimes, thumbnail, ticks },
  {
    module: import.meta.url,
    openapi: { title: 'Errand quickstart', version: '1.0.0', description: 'Every kind of procedure, once.' },
  },
)
