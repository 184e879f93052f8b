import type { Log } from "../../kernel/log.js";
import { backOffMs } from "./core/index.js";
import type { SegmentHooks } from "./signal-stream.js";
import type { StopSignal } from "./stop-signal.js";

/** Which sealed segments still wait until their keys are durable elsewhere. */
export class KeyLedger {
  readonly #hooks: SegmentHooks;
  readonly #stop: StopSignal;
  readonly #log: Log;
  readonly #waiting = new Map<number, Promise<void>>();

  constructor(hooks: SegmentHooks, stop: StopSignal, log: Log) {
    this.#hooks = hooks;
    this.#stop = stop;
    this.#log = log;
  }

  /** Asks for the keys of a segment to be made durable, again and again until they are. */
  seal(segment: number): void {
    const durable = this.#untilDurable(segment).then(
      () => void this.#waiting.delete(segment),
      () => {}, // stopped: the next start recovers the frames and asks again
    );
    this.#waiting.set(segment, durable);
  }

  /** Resolves when the keys of all these segments are durable; rejects with StreamStopped. */
  async whenDurable(segments: readonly number[]): Promise<void> {
    for (const segment of segments) {
      await this.#waiting.get(segment);
      this.#stop.throwIfStopped();
    }
  }

  async #untilDurable(segment: number): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      try {
        await this.#stop.unlessStopped(this.#hooks.sealed(segment));
        return;
      } catch (error) {
        this.#stop.throwIfStopped();
        this.#log.error("the keys of a segment could not be made durable", {
          segment,
          failures,
          error: String(error),
        });
      }
      await this.#stop.pause(backOffMs(failures, 200, 30_000, Math.random()));
      this.#stop.throwIfStopped();
    }
  }
}
