import type { UnbilledCost } from "../billing/index.js";
import type { CreditTotals, StoredGrant } from "../credits/index.js";
import type { Sql } from "../engines/postgres/index.js";
import type { Currency } from "../kernel/currency.js";
import type {
  CreditGrantId,
  CustomerId,
  OrganizationId,
  PaymentId,
  SubscriptionId,
  TopUpId,
} from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import type { Money } from "../kernel/money.js";
import type { TimeZone } from "../kernel/time-zone.js";
import type { PaymentAttempt } from "../payments/index.js";
import type { EventType } from "../webhooks/index.js";

/** Who has a prepaid balance. */
export interface PrepaidCustomer {
  readonly id: CustomerId;
  readonly key: string;
  readonly currency: Currency | undefined;
  readonly timeZone: TimeZone;
}

/** Billing as prepaid balances see it. */
export interface BillingPort {
  /** By id or key. @throws Refusal 404 */
  customer(sql: Sql, idOrKey: string): Promise<PrepaidCustomer>;
  /** See UnbilledCosts.of. @throws Refusal 409, 422 */
  unbilled(
    organization: OrganizationId,
    payers: readonly CustomerId[],
    options?: { readonly usageBefore?: Instant },
  ): Promise<ReadonlyMap<CustomerId, UnbilledCost>>;
  /** Whether nothing was billed or changed since it was read. */
  holds(sql: Sql, cost: { readonly progress: ReadonlyMap<SubscriptionId, number> }): Promise<boolean>;
}

/** Credits as prepaid balances see them. */
export interface CreditsPort {
  sums(sql: Sql, organization: OrganizationId, customer: CustomerId): Promise<readonly CreditTotals[]>;
  /** Open ones, locked until the transaction ends. */
  lockGrants(
    sql: Sql,
    of: readonly { readonly customer: CustomerId; readonly currency: Currency }[],
  ): Promise<readonly StoredGrant[]>;
  /** The grant of a top-up; its payment has posted the money. */
  grantToppedUp(
    sql: Sql,
    organization: OrganizationId,
    grant: { customer: CustomerId; amount: Money; reference: string; at: Instant },
  ): Promise<CreditGrantId>;
  /** Takes back a part of a grant whose money is refunded; the refund posts it. @throws Refusal 409 for more than is left */
  takeBack(
    sql: Sql,
    organization: OrganizationId,
    taken: { grant: CreditGrantId; amount: bigint; reason: string },
  ): Promise<void>;
  /** Gives back what was taken for a refund that did not arrive. */
  giveBack(
    sql: Sql,
    organization: OrganizationId,
    given: { grant: CreditGrantId; amount: bigint; reason: string },
  ): Promise<void>;
  /** What can be taken back of a grant. */
  leftOf(sql: Sql, grant: CreditGrantId): Promise<bigint>;
}

/** Payments as top-ups see them. */
export interface PaymentsPort {
  /** Persists an attempt in the caller's transaction, and has it made; one of this number that is there is given back. */
  chargeTopUp(
    sql: Sql,
    organization: OrganizationId,
    charge: {
      readonly topUp: TopUpId;
      readonly number: number;
      readonly customer: CustomerId;
      readonly amount: Money;
      readonly method: string | undefined;
    },
  ): Promise<PaymentAttempt>;
  /** @throws Refusal 404 */
  attempt(sql: Sql, id: string): Promise<PaymentAttempt>;
  /** @throws Refusal 404, 409 unless it is attached to the customer */
  checkMethod(sql: Sql, customer: CustomerId, method: string): Promise<void>;
  /** Whether nothing is collected of the customer by itself. */
  isPaused(sql: Sql, customer: CustomerId): Promise<boolean>;
}

export interface BalanceNotice {
  readonly type: EventType;
  readonly key: string;
  readonly data: Readonly<Record<string, JsonValue>>;
}

export interface NoticesPort {
  publish(sql: Sql, organization: OrganizationId, notices: readonly BalanceNotice[]): Promise<void>;
}

/** A top-up that was paid. */
export interface PaidTopUp {
  readonly topUp: TopUpId;
  readonly payment: PaymentId;
  readonly customer: CustomerId;
  readonly amount: Money;
  readonly at: Instant;
}
