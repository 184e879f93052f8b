export interface SweepsOptions {
  readonly first_after_ms: number;
  /** From the end of a sweep to the next. */
  readonly every_ms: number;
  readonly sweep: () => Promise<unknown>;
  readonly onFailure: (error: unknown) => void;
}

/** Has something swept again and again, one sweep after the other, until it is stopped. Keeps no process alive. */
export class Sweeps {
  readonly #on: SweepsOptions;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<unknown> | undefined;
  #stopped = false;

  constructor(options: SweepsOptions) {
    this.#on = options;
  }

  /** A long sweep looks, and ends early. */
  get stopped(): boolean {
    return this.#stopped;
  }

  start(): void {
    this.#after(this.#on.first_after_ms);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#sweeping;
  }

  #after(wait_ms: number): void {
    if (this.#stopped) return;
    const { sweep, onFailure, every_ms } = this.#on;
    this.#timer = setTimeout(() => {
      this.#sweeping = sweep()
        .catch(onFailure)
        .finally(() => this.#after(every_ms));
    }, wait_ms);
    this.#timer.unref();
  }
}
