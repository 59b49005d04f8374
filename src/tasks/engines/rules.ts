/** How a task ends whose procedure this process may not know. */
import type { EngineHost } from '../engine.ts'
import type { EndingRules } from '../lifecycle.ts'
import { toPolicy } from '../policy.ts'

const DEFAULT_RULES: EndingRules = toPolicy({})

/** The rules of a procedure, or the defaults when it is unknown here. */
export const rulesOf = (host: EngineHost, procedure: string): EndingRules =>
  host.policy(procedure) ?? DEFAULT_RULES
