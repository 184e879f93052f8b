import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import type { CustomerId, OrganizationId, PaymentMethodId } from "../kernel/ids.js";
import { formatMoney } from "../kernel/money.js";
import { checkTopUpSettings, type NewTopUpSettings } from "./check-top-up.js";
import type { LookWakes } from "./look-wakes.js";
import type { BillingPort, PaymentsPort } from "./ports.js";
import type { TopUps } from "./top-ups.js";
import {
  findWatch,
  isWatched,
  writeWatch,
  type BalanceWatch,
  type WatchSettings,
} from "./store/balance-watches.js";

export interface TopUpSettingsDependencies {
  readonly postgres: Postgres;
  readonly billing: BillingPort;
  readonly payments: PaymentsPort;
  readonly topUps: Pick<TopUps, "giveUpWaiting">;
  readonly lookWakes: LookWakes;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

/** Whose balances are watched, and what is done about them. Every change is audited with what was before. */
export class TopUpSettings {
  readonly #on: TopUpSettingsDependencies;

  constructor(dependencies: TopUpSettingsDependencies) {
    this.#on = dependencies;
  }

  /** By customer's id or key; undefined when its balance is not watched. @throws Refusal 404 */
  async find(organization: OrganizationId, customer: string): Promise<BalanceWatch | undefined> {
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const found = await findWatch(sql, (await this.#on.billing.customer(sql, customer)).id);
      return found !== undefined && isWatched(found) ? found : undefined;
    });
  }

  /**
   * Replaces them as a whole, and looks at the balance at once. Automatic top-ups that were stopped go on.
   * @throws Refusal 400 listing every fault by field; 404; 409 for a method that was detached
   */
  async set(caller: Caller, input: NewTopUpSettings, idempotencyKey?: string): Promise<BalanceWatch> {
    const { organization } = caller;
    const { postgres, billing, payments } = this.#on;
    return postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "top_up_settings.set", input };
      const id = await runOnce(sql, request, async () => {
        const customer = await billing.customer(sql, input.customer);
        const { topUp, ...rest } = checkTopUpSettings(input, customer.currency);
        if (input.method !== undefined) await payments.checkMethod(sql, customer.id, input.method);
        const method = input.method as PaymentMethodId | undefined;
        const settings = { ...rest, topUp: topUp === undefined ? undefined : { ...topUp, method } };
        await this.#write(sql, caller, customer.id, settings, "top_up_settings.set");
        return customer.id;
      });
      return mustFind(await findWatch(sql, id));
    });
  }

  /**
   * The balance is not watched any more. A top-up that is under way is not called back. Again changes nothing.
   * @throws Refusal 404
   */
  async disable(
    caller: Caller,
    input: { readonly customer: string },
    idempotencyKey?: string,
  ): Promise<CustomerId> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const { id } = await this.#on.billing.customer(sql, input.customer);
      const request = { organization, idempotencyKey, action: "top_up_settings.disable", input };
      await runOnce(sql, request, async () => {
        const before = await findWatch(sql, id);
        if (before === undefined || !isWatched(before)) return id;
        const none = { currency: before.currency, lowAt: undefined, topUp: undefined };
        await this.#write(sql, caller, id, none, "top_up_settings.disable");
        return id;
      });
      return id;
    });
  }

  async #write(
    sql: Sql,
    caller: Caller,
    customer: CustomerId,
    settings: WatchSettings,
    action: string,
  ): Promise<void> {
    const { organization } = caller;
    const { lookWakes, topUps, clock, clocks } = this.#on;
    const before = await findWatch(sql, customer, { lock: true });
    const now = clocks.of(organization).now();
    await writeWatch(sql, organization, customer, settings, now);
    await recordAudit(sql, {
      organization,
      actor: caller,
      action,
      target: customer,
      before: before !== undefined && isWatched(before) ? describe(before) : undefined,
      after: isWatched(settings) ? describe(settings) : undefined,
      at: clock.now(),
    });
    if (before?.topUp !== undefined && settings.topUp === undefined)
      await topUps.giveUpWaiting(sql, organization, before);
    if (!isWatched(settings)) return;
    await lookWakes.lookBy(sql, organization, customer, now);
    // Usage that arrived in this window was noted, or not, before anybody wanted to know of it.
    await lookWakes.usageArrived(sql, organization);
  }
}

function mustFind(watch: BalanceWatch | undefined): BalanceWatch {
  if (watch === undefined) throw new Error("settings were written and are not there");
  return watch;
}

function describe({ currency, lowAt, topUp }: WatchSettings) {
  const text = (minor: bigint | undefined) => (minor === undefined ? null : formatMoney({ currency, minor }));
  return {
    lowAt: text(lowAt),
    threshold: text(topUp?.threshold),
    amount: text(topUp?.amount),
    monthlyMax: text(topUp?.monthlyMax),
    method: topUp?.method ?? null,
  };
}
