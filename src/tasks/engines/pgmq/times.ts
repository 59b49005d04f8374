/** Times of Postgres, to the microsecond, as milliseconds since the epoch. */

const FORM = /^(\d{4,})(-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(.+)$/

/** A time as it stands in Postgres's JSON. */
export const toMs = (text: string): number => {
  const [, year = '', rest = '', fraction = '', zone = ''] = FORM.exec(text) ?? []
  const seconds = Date.parse(`${year.length > 4 ? `+${year.padStart(6, '0')}` : year}${rest}${zone}`)
  const micros = fraction.padEnd(6, '0')
  return seconds + Number(`${micros.slice(0, 3)}.${micros.slice(3)}`)
}
