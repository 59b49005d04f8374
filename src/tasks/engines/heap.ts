/** A binary heap whose nodes know their place, so that one in the middle can be taken out. */

/** One value in a heap: ordered by `major`, then by `minor`, both rising. */
export interface HeapNode<T> {
  readonly value: T
  readonly major: number
  readonly minor: number
  /** Its place; −1 when it is in no heap. Owned by the heap. */
  place: number
}

/** The order of all heaps. */
export const isBefore = <T>(a: HeapNode<T>, b: HeapNode<T>): boolean =>
  a.major < b.major || (a.major === b.major && a.minor < b.minor)

/** The smallest first; every change takes O(log n). */
export class Heap<T> {
  readonly #nodes: HeapNode<T>[] = []

  get size(): number {
    return this.#nodes.length
  }

  peek(): HeapNode<T> | undefined {
    return this.#nodes[0]
  }

  push(value: T, major: number, minor: number): HeapNode<T> {
    const node: HeapNode<T> = { value, major, minor, place: this.#nodes.length }
    this.#nodes.push(node)
    this.#rise(node)
    return node
  }

  pop(): HeapNode<T> | undefined {
    const first = this.#nodes[0]
    if (first) this.remove(first)
    return first
  }

  /** Takes a node out; one that is in no heap is left alone. */
  remove(node: HeapNode<T>): void {
    const { place } = node
    if (place < 0) return
    node.place = -1
    const last = this.#nodes.pop()!
    if (last === node) return
    this.#put(last, place)
    this.#sink(last)
    this.#rise(last)
  }

  #put(node: HeapNode<T>, place: number): void {
    this.#nodes[place] = node
    node.place = place
  }

  #rise(node: HeapNode<T>): void {
    let { place } = node
    while (place > 0) {
      const parentPlace = (place - 1) >> 1
      const parent = this.#nodes[parentPlace]!
      if (!isBefore(node, parent)) break
      this.#put(parent, place)
      place = parentPlace
    }
    this.#put(node, place)
  }

  #sink(node: HeapNode<T>): void {
    let { place } = node
    for (
      let child = this.#smallerChild(place);
      child && isBefore(child, node);
      child = this.#smallerChild(place)
    ) {
      const next = child.place
      this.#put(child, place)
      place = next
    }
    this.#put(node, place)
  }

  #smallerChild(place: number): HeapNode<T> | undefined {
    const left = this.#nodes[2 * place + 1]
    const right = this.#nodes[2 * place + 2]
    return right && left && isBefore(right, left) ? right : left
  }
}
