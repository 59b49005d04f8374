/** Reads what Prometheus reads. */
import { request } from './http.ts'

/** The value of a series, or undefined when there is none. Labels in any order. */
export type Read = (name: string, labels?: Readonly<Record<string, string>>) => number | undefined

const labelsOf = (text: string): Map<string, string> =>
  new Map([...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', value = '']) => [name, value]))

const LINE = /^(\w+)(?:\{(.*)\})? (\S+)$/

/** All values of a text. */
export const readMetrics = (text: string): Read => {
  const series = text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = LINE.exec(line) ?? []
    return name === undefined ? [] : [{ name, labels: labelsOf(labels), value: Number(value) }]
  })
  return (name, labels = {}) => {
    const wanted = Object.entries(labels)
    return series.find(
      (one) =>
        one.name === name &&
        one.labels.size === wanted.length &&
        wanted.every(([label, value]) => one.labels.get(label) === value),
    )?.value
  }
}

/** Of a server on this machine. */
export const scrape = async (url: string): Promise<Read> => {
  const answer = await request('GET', `${url}/metrics`)
  if (answer.status !== 200)
    throw new Error(`GET ${url}/metrics was answered with ${answer.status}: ${answer.text}`)
  return readMetrics(answer.text)
}
