/** A setting: something of an app that can be said from outside its code. All of them are data, in `app-settings.ts`. */
import type { Rule } from './option-rules.ts'
import type { Reader } from './readers.ts'

/** One setting. */
export interface Setting {
  /** As in the file and in the code, such as `limits.headerSize`. */
  readonly path: string
  /** Its variable; `<variable>_FILE` names a file that has the value. */
  readonly variable: string
  /** What the text of the variable stands for. */
  readonly read: Reader
  readonly rule: Rule
  /** What holds when nobody says anything, in words. */
  readonly standard: string
  readonly about: string
  /** May hold a password: nobody gets to see it whole. */
  readonly secret: boolean
  /** A group whose plain value is this setting, as `rateLimit: '100/1m'` is `rateLimit.limit`. */
  readonly shorthand: string | undefined
  /** Where it may be said, besides code. */
  readonly sayable: readonly Origin['kind'][]
  /** On as soon as anything in the group of the same name is said, as `cors.origin` says that there is `cors`. */
  readonly implied: boolean
}

/** Where a value was said. */
export interface Origin {
  readonly kind: 'code' | 'environment' | 'file' | 'profile' | 'default'
  /** A variable, or a file and its key; in words otherwise. */
  readonly from: string
}

/** A value, and where it was said. */
export interface Said {
  readonly value: unknown
  readonly origin: Origin
}

/** What one place says, by the path of the setting. */
export type Layer = ReadonlyMap<string, Said>

/** Something that is wrong with what was said: at which place, and what. */
export interface Wrong {
  readonly at: string
  readonly text: string
}

/** `limits.headerSize` → `ERRAND_LIMITS_HEADER_SIZE`. */
export const variableOf = (path: string): string =>
  `ERRAND_${path
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()}`
