import type { Postgres } from "../engines/postgres/index.js";
import type { Workflows } from "../engines/workflow/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { minute } from "../kernel/instant.js";
import type { Log } from "../kernel/log.js";
import type { Wakes } from "../time/index.js";
import { BalanceLooks } from "./balance-looks.js";
import { registerLookRuns } from "./look-runs.js";
import { LookWakes } from "./look-wakes.js";
import type { BillingPort, CreditsPort, NoticesPort, PaymentsPort } from "./ports.js";
import { PrepaidBalances } from "./prepaid-balances.js";
import { TopUps } from "./top-ups.js";
import { TopUpSettings } from "./top-up-settings.js";
import { UsageLooks } from "./usage-looks.js";

/** Prepaid balances: what is left of what customers paid in advance, who is told of it, and topping it up. */
export interface Prepaid {
  readonly balances: PrepaidBalances;
  readonly settings: TopUpSettings;
  readonly topUps: TopUps;
  readonly lookWakes: LookWakes;
  readonly usageLooks: UsageLooks;
}

export interface PrepaidOptions {
  readonly postgres: Postgres;
  readonly workflows: Workflows;
  readonly wakes: Wakes;
  readonly clock: Clock;
  readonly clocks: Clocks;
  readonly log: Log;
  readonly billing: BillingPort;
  readonly credits: CreditsPort;
  readonly payments: PaymentsPort;
  readonly notices: NoticesPort;
  /** Usage that arrives within so long is looked at once, at its end. */
  readonly lookMinutes: number;
}

export function openPrepaid(options: PrepaidOptions): Prepaid {
  const { workflows, wakes } = options;
  const lookWakes = new LookWakes({ ...options, lookEvery: options.lookMinutes * minute });
  const topUps = new TopUps({ ...options, lookWakes });
  const looks = new BalanceLooks({ ...options, lookWakes, topUps });
  registerLookRuns(looks, { workflows, wakes });
  return {
    balances: new PrepaidBalances(options),
    settings: new TopUpSettings({ ...options, lookWakes, topUps }),
    topUps,
    lookWakes,
    usageLooks: new UsageLooks({ ...options, lookWakes }),
  };
}
