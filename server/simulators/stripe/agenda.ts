/** Something that happens at an instant of simulated time. Tasks of one instant run by rank, then in the order they came. */
interface Task {
  readonly at_ms: number;
  readonly rank: number;
  readonly sequence: number;
  readonly run: () => void;
}

/** What is still to happen in simulated time: refunds that succeed later, webhooks, payouts that arrive. */
export class Agenda {
  readonly #heap: Task[] = [];
  readonly #onEarlier: () => void;
  #sequence = 0;

  /** @param onEarlier  told when something is due before everything else, so that a real timer can be set anew */
  constructor(onEarlier: () => void) {
    this.#onEarlier = onEarlier;
  }

  add(at_ms: number, run: () => void, rank = 0): void {
    this.#sequence += 1;
    this.#push({ at_ms, rank, sequence: this.#sequence, run });
    if (this.#heap[0]?.sequence === this.#sequence) this.#onEarlier();
  }

  /** When the next thing happens; undefined when nothing is left. */
  next_ms(): number | undefined {
    return this.#heap[0]?.at_ms;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Runs the first task that is due; false when none is. */
  runNext(now_ms: number): boolean {
    const first = this.#heap[0];
    if (first === undefined || first.at_ms > now_ms) return false;
    this.#pop();
    first.run();
    return true;
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(task);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(task, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      let below = heap[child];
      const right = heap[child + 1];
      if (below === undefined) break;
      if (right !== undefined && isBefore(right, below)) {
        child += 1;
        below = right;
      }
      if (!isBefore(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(one: Task, other: Task): boolean {
  if (one.at_ms !== other.at_ms) return one.at_ms < other.at_ms;
  if (one.rank !== other.rank) return one.rank < other.rank;
  return one.sequence < other.sequence;
}
