/** Thrown where work is given up because the stream stops; what is unfinished waits on disk. */
export class StreamStopped extends Error {
  override readonly name = "StreamStopped";
}

/** Ends all waiting at once when the stream stops: pauses return early, and `unlessStopped` rejects. */
export class StopSignal {
  #stopped = false;
  // A set, not a promise: each `then` on a promise that settles only at the end would stay in memory until then.
  readonly #waiting = new Set<() => void>();

  get stopped(): boolean {
    return this.#stopped;
  }

  stop(): void {
    this.#stopped = true;
    for (const end of Array.from(this.#waiting)) end();
  }

  throwIfStopped(): void {
    if (this.#stopped) throw new StreamStopped("the stream stops");
  }

  pause(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#waiting.add(end);
    });
  }

  /** The result of `work`, or StreamStopped if the stream stops first; `work` then ends unheard. */
  unlessStopped<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(end);
        reject(new StreamStopped("the stream stops"));
      };
      if (this.#stopped) end();
      else this.#waiting.add(end);
      work.then(resolve, reject).finally(() => this.#waiting.delete(end));
    });
  }
}
