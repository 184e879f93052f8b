import type { ProviderAccountId } from "../kernel/ids.js";
import type { PaymentProvider, ProviderAccount } from "./provider.js";
import { ProviderBusy, ProviderUnanswered } from "./provider-failure.js";

export interface GateOptions {
  /** Real time in milliseconds. */
  readonly now_ms?: () => number;
  /** Calls a second and account, on average, where its provider names no limit. */
  readonly perSecond?: number;
}

/** As many calls as of so many seconds may come at once. */
const burst_seconds = 2;
const failures_max = 10;
const open_ms = 15_000;
const accounts_max = 10_000;

interface AccountGate {
  readonly perSecond: number;
  tokens: number;
  filledAt_ms: number;
  /** Calls in a row that were not answered. */
  failures: number;
  /** Until then nobody calls. */
  closedUntil_ms: number;
}

/** Whom a call goes to. */
export interface Called {
  readonly account: Pick<ProviderAccount, "id" | "settings" | "secrets">;
  readonly provider: Pick<PaymentProvider, "isRemote" | "callsPerSecond">;
}

/**
 * What keeps our retries from becoming a storm: a token bucket for each provider account, and a circuit breaker that
 * stops calling one that does not answer, then lets single calls find out. It never waits: who is not let through is told
 * after how long to come again. What does not leave this machine passes.
 */
export class ProviderGate {
  readonly #now_ms: () => number;
  readonly #perSecond: number;
  readonly #accounts = new Map<ProviderAccountId, AccountGate>();

  // A charge is two calls: 100 of them a second, and room for looks at what became of others.
  constructor({ now_ms = Date.now, perSecond = 300 }: GateOptions = {}) {
    this.#now_ms = now_ms;
    this.#perSecond = perSecond;
  }

  /** @throws ProviderBusy without calling, when too many calls went out or too many were not answered */
  async call<T>({ account, provider }: Called, work: () => Promise<T>): Promise<T> {
    if (!provider.isRemote) return work();
    const gate = this.#gateOf(account.id, provider.callsPerSecond?.(account) ?? this.#perSecond);
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
    const filled = ((now - gate.filledAt_ms) / 1000) * gate.perSecond;
    gate.tokens = Math.min(burst_seconds * gate.perSecond, gate.tokens + filled);
    gate.filledAt_ms = now;
    if (gate.tokens < 1)
      throw new ProviderBusy(
        "too many calls at once",
        Math.ceil(((1 - gate.tokens) / gate.perSecond) * 1000),
      );
    gate.tokens -= 1;
  }

  #gateOf(account: ProviderAccountId, perSecond: number): AccountGate {
    const known = this.#accounts.get(account);
    if (known?.perSecond === perSecond) return known;
    const oldest = this.#accounts.keys().next().value;
    if (this.#accounts.size >= accounts_max && oldest !== undefined) this.#accounts.delete(oldest);
    const gate = {
      failures: 0,
      closedUntil_ms: 0,
      ...known,
      perSecond,
      tokens: burst_seconds * perSecond,
      filledAt_ms: this.#now_ms(),
    };
    this.#accounts.set(account, gate);
    return gate;
  }
}
