import type { ProviderAccountId } from "../kernel/ids.js";
import type { PaymentProvider } from "./provider.js";
import { ProviderBusy, ProviderUnanswered } from "./provider-failure.js";

export interface GateOptions {
  /** Real time in milliseconds. */
  readonly now_ms?: () => number;
  /** Calls a second and account, on average; and how many may come at once. */
  readonly perSecond?: number;
  readonly burst?: number;
}

const failures_max = 10;
const open_ms = 15_000;
const accounts_max = 10_000;

interface AccountGate {
  tokens: number;
  filledAt_ms: number;
  /** Calls in a row that were not answered. */
  failures: number;
  /** Until then nobody calls. */
  closedUntil_ms: number;
}

/** Whom a call goes to. */
export interface Called {
  readonly account: { readonly id: ProviderAccountId };
  readonly provider: Pick<PaymentProvider, "isRemote">;
}

/**
 * What keeps our retries from becoming a storm: a token bucket for each provider account, and a circuit breaker that
 * stops calling one that does not answer, then lets single calls find out. It never waits: who is not let through is told
 * after how long to come again. What does not leave this machine passes.
 */
export class ProviderGate {
  readonly #now_ms: () => number;
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #accounts = new Map<ProviderAccountId, AccountGate>();

  // A charge is two calls: 100 of them a second, and room for looks at what became of others.
  constructor({ now_ms = Date.now, perSecond = 300, burst = 600 }: GateOptions = {}) {
    this.#now_ms = now_ms;
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** @throws ProviderBusy without calling, when too many calls went out or too many were not answered */
  async call<T>({ account, provider }: Called, work: () => Promise<T>): Promise<T> {
    if (!provider.isRemote) return work();
    const gate = this.#gateOf(account.id);
    const now = this.#now_ms();
    if (now < gate.closedUntil_ms)
      throw new ProviderBusy(`${failures_max} calls in a row were not answered`, gate.closedUntil_ms - now);
    this.#takeToken(gate, now);
    // While it is found out whether the provider is back, one call at a time.
    if (gate.failures >= failures_max) gate.closedUntil_ms = now + open_ms;
    try {
      const answer = await work();
      gate.failures = 0;
      gate.closedUntil_ms = 0;
      return answer;
    } catch (error) {
      if (error instanceof ProviderUnanswered) {
        gate.failures += 1;
        if (gate.failures >= failures_max) gate.closedUntil_ms = this.#now_ms() + open_ms;
      } else {
        gate.failures = 0;
        gate.closedUntil_ms = 0;
      }
      throw error;
    }
  }

  #takeToken(gate: AccountGate, now: number): void {
    gate.tokens = Math.min(this.#burst, gate.tokens + ((now - gate.filledAt_ms) / 1000) * this.#perSecond);
    gate.filledAt_ms = now;
    if (gate.tokens < 1)
      throw new ProviderBusy(
        "too many calls at once",
        Math.ceil(((1 - gate.tokens) / this.#perSecond) * 1000),
      );
    gate.tokens -= 1;
  }

  #gateOf(account: ProviderAccountId): AccountGate {
    const known = this.#accounts.get(account);
    if (known !== undefined) return known;
    const oldest = this.#accounts.keys().next().value;
    if (this.#accounts.size >= accounts_max && oldest !== undefined) this.#accounts.delete(oldest);
    const gate = { tokens: this.#burst, filledAt_ms: this.#now_ms(), failures: 0, closedUntil_ms: 0 };
    this.#accounts.set(account, gate);
    return gate;
  }
}
