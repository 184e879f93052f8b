import { AsyncLocalStorage } from "node:async_hooks";

const outside = AsyncLocalStorage.snapshot();

/** Thrown into whatever was under way when the life it belonged to ended. */
export class LifeEnded extends Error {
  override readonly name = "LifeEnded";
}

/**
 * One life of a Weir process, from its start to the await at which it dies. What belongs to it asks before and after everything
 * that leaves it: once it is over, nothing goes on any more, as after kill -9.
 */
export class Life {
  readonly number: number;
  #cause: string | undefined;
  #transactions = 0;
  #quiet: (() => void)[] = [];
  readonly #waiting = new Set<(error: LifeEnded) => void>();
  readonly #onDeath: (life: Life) => void;

  constructor(number: number, onDeath: (life: Life) => void) {
    this.number = number;
    this.#onDeath = onDeath;
  }

  get isOver(): boolean {
    return this.#cause !== undefined;
  }

  /** Why it ended; undefined while it lasts. */
  get cause(): string | undefined {
    return this.#cause;
  }

  die(cause: string): void {
    if (this.isOver) return;
    this.#cause = cause;
    for (const reject of this.#waiting) reject(new LifeEnded(cause));
    this.#waiting.clear();
    // Whoever comes after inherits nothing of where it died.
    outside(() => this.#onDeath(this));
  }

  /** What whoever is outside of the process sees of a call into it. @throws LifeEnded when the life ends first */
  during<T>(work: Promise<T>): Promise<T> {
    if (this.isOver) return Promise.reject(new LifeEnded(this.#cause));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject);
      work.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }

  beginTransaction(): void {
    this.#transactions += 1;
  }

  endTransaction(): void {
    this.#transactions -= 1;
    if (this.#transactions > 0) return;
    for (const resolve of this.#quiet.splice(0)) resolve();
  }

  /** When all that it had open in the database is undone or committed. */
  async whenQuiet(): Promise<void> {
    if (this.#transactions > 0) await new Promise<void>((resolve) => this.#quiet.push(resolve));
  }
}

const transaction = new AsyncLocalStorage<true>();

/** What is done inside a transaction. */
export function insideTransaction<T>(work: () => Promise<T>): Promise<T> {
  return transaction.run(true, work);
}

/** A transaction that waits for another of the same pool waits forever once the pool is full of its like. @throws Error inside of one */
export function refuseNested(): void {
  if (transaction.getStore() === true) throw new Error("a transaction is begun inside of another");
}

/** What a dead process awaits: nothing that ever comes. Inside a transaction it fails, so that the transaction is undone. */
export function halted(): Promise<never> {
  return transaction.getStore() === true ? Promise.reject(new LifeEnded()) : new Promise(() => {});
}
