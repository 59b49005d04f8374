/** Runs a program under strace, and reads what it asked of the system, in order. */
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { findProgram } from '../../scripts/setup/programs.mjs'

const strace = findProgram('strace')

const whyNot = (): string | undefined => {
  if (strace === undefined) return 'strace is missing'
  const { error, status, stderr } = spawnSync(strace, ['-o', '/dev/null', 'true'], { encoding: 'utf8' })
  if (error) return error.message
  return status === 0 ? undefined : `strace may not trace: ${stderr.trim().split('\n')[0]}`
}

/** Why programs can't be traced here; undefined when they can. */
export const noStrace = whyNot()

/** One call of the system. */
export interface SystemCall {
  /** The thread's. */
  readonly pid: number
  readonly name: string
  /** The file or the connection behind its first argument. */
  readonly target: string
  /** The first text among its arguments, as bytes. */
  readonly bytes: Buffer
  /** Its last argument before the result, where it is a number. */
  readonly number: number
  /** Where in the trace it began and ended. */
  readonly began: number
  readonly ended: number
}

/** A program that runs under strace. A signal would reach strace alone: to stop it, end its input. */
export interface Traced {
  readonly child: ChildProcessByStdio<Writable, Readable, null>
  /** Resolves with its calls once it has ended. */
  readonly calls: Promise<readonly SystemCall[]>
}

/** Starts Node with a script. `options` are strace's own. */
export const startTraced = (options: readonly string[], script: URL, args: readonly string[]): Traced => {
  const folder = mkdtempSync(join(tmpdir(), 'errand-strace-'))
  const output = join(folder, 'trace')
  const command = [process.execPath, '--conditions=errand-source', script.pathname, ...args]
  const child = spawn(
    strace as string,
    ['-f', '--seccomp-bpf', '-yy', '-o', output, ...options, ...command],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const calls = new Promise<readonly SystemCall[]>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => {
      resolve(readTrace(readFileSync(output, 'latin1')))
      rmSync(folder, { recursive: true })
    })
  })
  return { child, calls }
}

const LINE = /^(?<pid>\d+) +(?:<\.\.\. )?(?<name>\w+)(?<rest>\(| resumed>)(?<text>.*)$/

/** Of calls that other threads interrupt, the end stands on a line of its own. */
export const readTrace = (trace: string): readonly SystemCall[] => {
  const open = new Map<string, { readonly text: string; readonly began: number }>()
  const calls: SystemCall[] = []
  for (const [at, line] of trace.split('\n').entries()) {
    const { pid = '', name = '', rest = '', text = '' } = LINE.exec(line)?.groups ?? {}
    if (text.endsWith('<unfinished ...>')) {
      open.set(pid, { text: text.slice(0, -16).trimEnd(), began: at })
    } else if (name) {
      const begun = rest === '(' ? undefined : open.get(pid)
      calls.push(
        toCall({ pid, name, text: (begun?.text ?? '') + text, began: begun?.began ?? at, ended: at }),
      )
    }
  }
  return calls
}

const toCall = (found: {
  readonly pid: string
  readonly name: string
  readonly text: string
  readonly began: number
  readonly ended: number
}): SystemCall => {
  const { pid, text, ...rest } = found
  return {
    ...rest,
    pid: Number(pid),
    target: /^\d+<(.*?)>[,)]/.exec(text)?.[1] ?? '',
    bytes: unescape(/"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? ''),
    number: Number(/(\d+)\) += /.exec(text)?.[1]),
  }
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12 }

/** A text in the form of C. */
const unescape = (text: string): Buffer =>
  Buffer.from(
    text.replace(/\\([0-7]{1,3}|.)/g, (_, code: string) =>
      String.fromCharCode(/^[0-7]/.test(code) ? parseInt(code, 8) : (ESCAPES[code] ?? code.charCodeAt(0))),
    ),
    'latin1',
  )
