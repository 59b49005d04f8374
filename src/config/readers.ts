/** What the text of an environment variable stands for. What it can't be stays text, for the rule to refuse. */

/** From text to a value. */
export type Reader = (text: string) => unknown

const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  1: true,
  false: false,
  off: false,
  0: false,
}

/** As it stands. */
export const text: Reader = (value) => value

/** `true`, `on` and `1`, or `false`, `off` and `0`. */
export const flag: Reader = (value) => FLAGS[value.toLowerCase()] ?? value

/** Digits are a number; anything else is text, such as `'10s'` or `'512mb'`. */
export const number: Reader = (value) => (/^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value)

/** With commas between. */
export const list: Reader = (value) => value.split(',').map((item) => item.trim())

/** `false` and `off` turn it off; anything else is what `other` makes of it. */
export const orOff =
  (other: Reader): Reader =>
  (value) =>
    ['false', 'off'].includes(value.toLowerCase()) ? false : other(value)
