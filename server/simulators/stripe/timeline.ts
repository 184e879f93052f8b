import { Agenda } from "./agenda.js";
import { ApiError } from "./api/api-error.js";
import { VirtualClock } from "./virtual-clock.js";

export interface TimelineOptions {
  /** Milliseconds since 1970; a clock of its own, which `advance` moves, when not given. */
  readonly now: (() => number) | undefined;
  /** Runs what is due for the account. */
  readonly onTick: (run: () => void) => void;
  /** Resolves once no webhook is on its way. */
  readonly whenIdle: () => Promise<void>;
}

// Any instant will do; this one is after the dates on which test cards begin to be valid.
const start_ms_default = Date.UTC(2030, 0, 1);
// A timer takes at most 2^31 - 1 ms; what is later is looked at again then.
const timer_ms_max = 2 ** 31 - 1;

/** The time of a simulator, and what is to happen in it. */
export class Timeline {
  /** What is to happen to the account: refunds that succeed later, payouts that arrive. */
  readonly account = new Agenda(() => this.#setTimer());
  /** What is to happen around it: webhooks, replies that were held back. */
  readonly outside = new Agenda(() => this.#setTimer());
  readonly #on: TimelineOptions;
  readonly #ownClock: VirtualClock | undefined;
  readonly #clock: () => number;
  #last_ms = -Infinity;
  #isHeld = false;
  #followsRealTime = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TimelineOptions) {
    const own = options.now === undefined ? new VirtualClock(start_ms_default) : undefined;
    this.#on = options;
    this.#ownClock = own;
    this.#clock = options.now ?? (() => own?.now() ?? start_ms_default);
  }

  /** Never goes back, whatever the clock does: lists are searched by the order in which their objects were made. */
  now_ms(): number {
    if (!this.#isHeld) this.#last_ms = Math.max(this.#last_ms, this.#clock());
    return this.#last_ms;
  }

  /** Does something at one instant: time stands still meanwhile. */
  hold<T>(at_ms: number, work: () => T): T {
    this.#last_ms = Math.max(this.#last_ms, at_ms);
    this.#isHeld = true;
    try {
      return work();
    } finally {
      this.#isHeld = false;
    }
  }

  /** When the next thing happens; undefined when nothing is left to happen. */
  next_ms(): number | undefined {
    const [account, outside] = [this.account.next_ms(), this.outside.next_ms()];
    return account === undefined || outside === undefined ? (account ?? outside) : Math.min(account, outside);
  }

  /** Lets everything happen that is due by now, webhooks included, and waits until it has. */
  async settle(): Promise<void> {
    do {
      this.#runDue();
      await this.#on.whenIdle();
    } while ((this.next_ms() ?? Infinity) <= this.now_ms());
  }

  /**
   * Moves its own clock, from one thing that is due to the next, in order.
   * @throws Error when the clock is the caller's
   */
  async advance(duration_ms: number): Promise<void> {
    const clock = this.#ownClock;
    if (clock === undefined)
      throw new Error(
        "the simulator was given a clock: move that, and call settle() for what is due by then",
      );
    const end_ms = clock.now() + duration_ms;
    await this.settle();
    for (;;) {
      const next_ms = this.next_ms();
      if (next_ms === undefined || next_ms > end_ms) break;
      clock.moveTo(next_ms);
      await this.settle();
    }
    clock.moveTo(end_ms);
  }

  followRealTime(): void {
    this.#followsRealTime = true;
    this.#setTimer();
  }

  stop(): void {
    this.#followsRealTime = false;
    clearTimeout(this.#timer);
  }

  #runDue(): void {
    for (;;) {
      const next_ms = this.next_ms();
      if (next_ms === undefined || next_ms > this.now_ms()) return;
      if (this.account.next_ms() === next_ms) this.#on.onTick(() => this.tick());
      else this.outside.runNext(next_ms);
    }
  }

  /** The next thing that is due for the account. */
  tick(): void {
    try {
      this.account.runNext(this.now_ms());
    } catch (error) {
      // There is no request to answer: what was to happen is about an object that was dropped for want of room.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  #setTimer(): void {
    if (!this.#followsRealTime) return;
    clearTimeout(this.#timer);
    const next_ms = this.next_ms();
    if (next_ms === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#runDue();
        this.#setTimer();
      },
      Math.min(Math.max(next_ms - this.now_ms(), 0), timer_ms_max),
    );
    this.#timer.unref();
  }
}
