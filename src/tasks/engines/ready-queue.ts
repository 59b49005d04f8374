/**
 * Tasks that may run now: by priority, then in the order they came. One line per procedure, for each has
 * limits.
 */
import type { Entry, Live } from './entry.ts'
import { Heap, isBefore, type HeapNode } from './heap.ts'

/** Never looks at all tasks: a procedure that has to wait holds up no other. */
export class ReadyQueue {
  /** Only lines with tasks in them. */
  readonly #lines = new Map<string, Heap<Entry>>()
  #count = 0

  /** Whether no task of a procedure waits. */
  isEmpty(procedure: string): boolean {
    return !this.#lines.has(procedure)
  }

  push(entry: Entry): void {
    if (!entry.live) return
    const line = this.#lines.get(entry.procedure) ?? new Heap<Entry>()
    this.#lines.set(entry.procedure, line)
    entry.live.ready = line.push(entry, -entry.live.task.priority, this.#count++)
  }

  /** Takes a task out; one that is not in the queue is left alone. */
  remove(live: Live): void {
    const node = live.ready
    if (!node) return
    const { procedure } = node.value
    const line = this.#lines.get(procedure)
    line?.remove(node)
    if (line?.size === 0) this.#lines.delete(procedure)
    live.ready = undefined
  }

  /** Takes out the next task of all procedures that may run one. */
  take(mayRun: (procedure: string) => boolean): Entry | undefined {
    let next: HeapNode<Entry> | undefined
    for (const [procedure, line] of this.#lines) {
      const head = line.peek()
      if (head && (!next || isBefore(head, next)) && mayRun(procedure)) next = head
    }
    if (next?.value.live) this.remove(next.value.live)
    return next?.value
  }
}
