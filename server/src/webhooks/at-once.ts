/** Lets so many pieces of work be done at once; the others wait their turn, first come, first served. */
export class AtOnce {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #doing = 0;

  constructor(max: number) {
    this.#max = max;
  }

  async do<T>(work: () => Promise<T>): Promise<T> {
    if (this.#doing >= this.#max) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#doing += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#doing -= 1;
      else next();
    }
  }
}
