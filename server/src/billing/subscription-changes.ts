import { recordAudit, runOnce } from "../audit/index.js";
import type { Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import { Decimal } from "../kernel/decimal.js";
import { newId, type OrganizationId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { StoreUnavailable } from "../kernel/problem.js";
import type { JsonValue } from "../kernel/json.js";
import {
  attachAddOn,
  cancel,
  changePlan,
  changeQuantity,
  detachAddOn,
  effectiveFrom,
  effectiveUntil,
  phaseAt,
  pricesNotIn,
  redeemCoupon,
  removeCoupon,
  uncancel,
  type Changed,
  type When,
} from "./core/index.js";
import { checkOverrides } from "./check-subscription.js";
import { describeSubscription } from "./describe-subscription.js";
import { takeRedemption } from "./redemption.js";
import type { InvoicedUntil } from "./store/invoiced-until.js";
import { saveSubscription } from "./store/save-subscription.js";
import { mustChange } from "./subscription-refusal.js";
import { holdSubscription, mustFindSubscription } from "./find-subscription.js";
import type { SubscriptionsDependencies } from "./subscriptions.js";
import type {
  AttachInput,
  CancelInput,
  CouponInput,
  DetachInput,
  PlanChangeInput,
  QuantityInput,
  Subscription,
} from "./subscription.js";

export interface SubscriptionChangesDependencies extends SubscriptionsDependencies {
  readonly invoicedUntil: InvoicedUntil;
}

/** The subscription under its lock, and what decides whether it may change. */
interface Situation {
  readonly sql: Sql;
  readonly subscription: Subscription;
  readonly now: Instant;
  readonly invoicedUntil: Instant | undefined;
}

/** What a change comes to; its details are what the subscription's history shows. */
interface Decision {
  readonly changed: Changed;
  readonly effectiveAt: Instant;
  readonly details: JsonValue;
}

const today: When = { kind: "now" };

/**
 * Changes of subscriptions. Each holds from an instant on and leaves what was before as it was; each is audited, and
 * refused over time that finalized invoices have closed, with the instant from which it is possible.
 */
export class SubscriptionChanges {
  readonly #on: SubscriptionChangesDependencies;

  constructor(dependencies: SubscriptionChangesDependencies) {
    this.#on = dependencies;
  }

  /** Upgrade or downgrade: from the beginning of today, of another local day, or from the period's end on. */
  async changePlan(caller: Caller, input: PlanChangeInput, idempotencyKey?: string): Promise<Subscription> {
    const { quantities = {}, overrides = {}, when = today } = input;
    const known = await this.#look(caller, input.subscription);
    const from = effectiveFrom(known.subscription, when, known.now);
    const plan = await this.#on.catalog.versionAt(caller.organization, input.plan, from);
    await checkOverrides(this.#on.catalog, caller.organization, plan, overrides);
    return this.#change(
      caller,
      "change_plan",
      input,
      idempotencyKey,
      ({ subscription, now, invoicedUntil }) => {
        const missing = pricesNotIn(plan, subscription.currency, overrides);
        const at = effectiveFrom(subscription, when, now);
        const changed: Changed =
          missing.length > 0
            ? { ok: false, error: { kind: "currency", currency: subscription.currency, missing } }
            : changePlan(subscription, { at, plan, overrides, quantities }, invoicedUntil);
        const details = { planVersion: plan.id, plan: plan.planKey, version: plan.version };
        return { changed, effectiveAt: at, details };
      },
    );
  }

  /** Another licensed quantity. Over invoiced time it is allowed for 35 days: the next invoice takes the difference. */
  async setQuantity(caller: Caller, input: QuantityInput, idempotencyKey?: string): Promise<Subscription> {
    const { when = today, price, quantity } = input;
    const known = await this.#look(caller, input.subscription);
    const ids = known.subscription.schedule.map((phase) => phase.planVersion);
    const plans = await this.#on.catalog.versions(caller.organization, [...new Set(ids)]);
    return this.#change(
      caller,
      "set_quantity",
      input,
      idempotencyKey,
      ({ subscription, now, invoicedUntil }) => {
        const at = effectiveFrom(subscription, when, now);
        const phase = phaseAt(subscription, at) ?? subscription.schedule[0];
        const plan = plans.find((one) => one.id === phase?.planVersion);
        if (plan === undefined)
          throw new StoreUnavailable(`the plan of ${subscription.id} changed at the same time`);
        return {
          changed: changeQuantity(subscription, { at, priceKey: price, quantity }, plan, {
            invoicedUntil,
            now,
          }),
          effectiveAt: at,
          details: { price, quantity: quantity.toString() },
        };
      },
    );
  }

  /** Puts an add-on on top. */
  async attachAddOn(caller: Caller, input: AttachInput, idempotencyKey?: string): Promise<Subscription> {
    const { when = today, quantity = Decimal.one, until } = input;
    const addOn = await this.#on.catalog.addOn(caller.organization, input.addOn);
    return this.#change(
      caller,
      "attach_add_on",
      input,
      idempotencyKey,
      ({ subscription, now, invoicedUntil }) => {
        const from = effectiveFrom(subscription, when, now);
        const to =
          until === undefined ? undefined : effectiveUntil(subscription, { kind: "at", at: until }, now);
        const id = newId("sao", now);
        const missing = pricesNotIn(addOn, subscription.currency, {});
        const changed: Changed =
          missing.length > 0
            ? { ok: false, error: { kind: "currency", currency: subscription.currency, missing } }
            : attachAddOn(subscription, { id, addOn, quantity, from, to }, invoicedUntil);
        const details = { id, addOnVersion: addOn.id, addOn: addOn.key, quantity: quantity.toString() };
        return { changed, effectiveAt: from, details };
      },
    );
  }

  /** Takes an add-on off after a local day, today when left out, or at the period's end. */
  async detachAddOn(caller: Caller, input: DetachInput, idempotencyKey?: string): Promise<Subscription> {
    const { when = today, addOn: id } = input;
    return this.#change(
      caller,
      "detach_add_on",
      input,
      idempotencyKey,
      ({ subscription, now, invoicedUntil }) => {
        const at = effectiveUntil(subscription, when, now);
        return {
          changed: detachAddOn(subscription, { id, at }, invoicedUntil),
          effectiveAt: at,
          details: { id },
        };
      },
    );
  }

  /** Redeems a coupon for whole billing periods, from the present one on. */
  async redeemCoupon(caller: Caller, input: CouponInput, idempotencyKey?: string): Promise<Subscription> {
    const coupon = await this.#on.catalog.coupon(caller.organization, input.coupon);
    return this.#change(caller, "redeem_coupon", input, idempotencyKey, async (situation) => {
      const { sql, subscription, now, invoicedUntil } = situation;
      await takeRedemption(sql, caller.organization, coupon, subscription.currency, now);
      const at = effectiveFrom(subscription, today, now);
      const changed = redeemCoupon(subscription, coupon, at, invoicedUntil);
      return { changed, effectiveAt: at, details: { coupon: coupon.id, key: coupon.key } };
    });
  }

  /** Takes a coupon off from the next billing period on. */
  async removeCoupon(caller: Caller, input: CouponInput, idempotencyKey?: string): Promise<Subscription> {
    const coupon = await this.#on.catalog.coupon(caller.organization, input.coupon);
    return this.#change(caller, "remove_coupon", input, idempotencyKey, ({ subscription, now }) => ({
      changed: removeCoupon(subscription, coupon.id, now),
      effectiveAt: effectiveFrom(subscription, { kind: "period_end" }, now),
      details: { coupon: coupon.id, key: coupon.key },
    }));
  }

  /** Ends a subscription after today, after another local day, or at the period's end. The last day is included. */
  async cancel(caller: ChangedBy, input: CancelInput, idempotencyKey?: string): Promise<Subscription> {
    const { when = today } = input;
    return this.#change(caller, "cancel", input, idempotencyKey, ({ subscription, now, invoicedUntil }) => {
      const endsAt = effectiveUntil(subscription, when, now);
      const changed = cancel(subscription, { endsAt }, { invoicedUntil, now });
      return { changed, effectiveAt: endsAt, details: {} };
    });
  }

  /** Takes a cancellation back before it takes effect. */
  async uncancel(caller: Caller, subscription: string, idempotencyKey?: string): Promise<Subscription> {
    return this.#change(caller, "uncancel", { subscription }, idempotencyKey, (situation) => ({
      changed: uncancel(situation.subscription, situation.now),
      effectiveAt: situation.now,
      details: {},
    }));
  }

  /** The subscription before it is locked: tells what of the catalog a change needs. @throws Refusal 404 */
  async #look(caller: Caller, id: string): Promise<{ subscription: Subscription; now: Instant }> {
    const subscription = await this.#on.postgres.inOrganization(caller.organization, (sql) =>
      mustFindSubscription(sql, id),
    );
    return { subscription, now: this.#on.clocks.of(caller.organization).now() };
  }

  // Nothing in `decide` may open a transaction: it runs in one, and waiting for another connection while holding a
  // lock would stop everyone once as many changes are under way as there are connections.
  async #change(
    caller: ChangedBy,
    action: string,
    input: { readonly subscription: string },
    idempotencyKey: string | undefined,
    decide: (situation: Situation) => Decision | Promise<Decision>,
  ): Promise<Subscription> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: `subscription.${action}`, input };
      const id = await runOnce(sql, request, async () => {
        const { subscription: before, revision } = await holdSubscription(
          sql,
          organization,
          input.subscription,
        );
        const now = this.#on.clocks.of(organization).now();
        const scope = { customer: before.customer, subscription: before.id };
        const invoicedUntil = await this.#on.invoicedUntil(sql, scope);
        const decision = await decide({ sql, subscription: before, now, invoicedUntil });
        const after = mustChange(decision.changed);
        const { effectiveAt, details } = decision;
        await writeChange(sql, this.#on, caller, {
          before,
          after,
          revision,
          action,
          effectiveAt,
          details,
        });
        return before.id;
      });
      return mustFindSubscription(sql, id);
    });
  }
}

/** Whoever holds a key, or Weir itself, such as when dunning ends. */
export type ChangedBy = Caller | { readonly organization: OrganizationId };

/** Saves a changed subscription with its history, its audit entry and its next wake. */
export async function writeChange(
  sql: Sql,
  on: Pick<SubscriptionsDependencies, "clock" | "subscriptionChanged">,
  caller: ChangedBy,
  change: {
    readonly before: Subscription;
    readonly after: Subscription;
    readonly revision: number;
    readonly action: string;
    readonly effectiveAt: Instant;
    readonly details: JsonValue;
  },
): Promise<void> {
  const { before, after, revision, action, effectiveAt, details } = change;
  const at = on.clock.now();
  const organization: OrganizationId = caller.organization;
  await saveSubscription(sql, organization, before, after, {
    revision,
    action,
    effectiveAt,
    details,
    actor: "key" in caller ? caller.key : "system",
    recordedAt: at,
  });
  await on.subscriptionChanged?.(sql, organization, after);
  await recordAudit(sql, {
    organization,
    actor: "key" in caller ? caller : "system",
    action: `subscription.${action}`,
    target: after.id,
    before: describeSubscription(before),
    after: { effectiveAt: formatInstant(effectiveAt), ...(describeSubscription(after) as object) },
    at,
  });
}
