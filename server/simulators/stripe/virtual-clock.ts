/** A clock that stands still until it is moved; milliseconds since 1970, as Date.now gives them. */
export class VirtualClock {
  #now_ms: number;

  constructor(start_ms: number) {
    this.#now_ms = start_ms;
  }

  now(): number {
    return this.#now_ms;
  }

  /** @throws RangeError when it would go back */
  moveTo(at_ms: number): void {
    if (!(at_ms >= this.#now_ms))
      throw new RangeError(`a clock does not go back: ${at_ms} is before ${this.#now_ms}`);
    this.#now_ms = at_ms;
  }
}
