import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import type { Currency } from "../kernel/currency.js";
import {
  newId,
  type CreditGrantId,
  type CustomerId,
  type InvoiceId,
  type OrganizationId,
} from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { formatMoney, type Money } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { checkReason } from "../kernel/reason.js";
import type { Ledger } from "../ledger/index.js";
import type { ExpiryNoted } from "./credit-expiry.js";
import { checkGrant, type NewGrant } from "./check-grant.js";
import { priority_default, reinstate, takeOff, withdraw, type CreditGrant } from "./core/index.js";
import { GrantDraws, movement } from "./grant-draws.js";
import { grantPosting, voidPosting } from "./grant-postings.js";
import {
  countOpenGrants,
  findGrant,
  insertGrant,
  listGrants,
  lockGrantsById,
  type GrantPage,
  type StoredGrant,
} from "./store/credit-grants.js";
import {
  insertMovements,
  listMovements,
  updateBalances,
  type CreditMovement,
  type GrantUse,
} from "./store/credit-movements.js";
import { sumCredits, type CreditTotals } from "./store/credit-totals.js";

/** Who credits are given to, as this domain asks: by id or key. */
export interface CreditedCustomers {
  /** @throws Refusal 404 */
  get(
    organization: OrganizationId,
    idOrKey: string,
  ): Promise<{ readonly id: CustomerId; readonly currency: Currency | undefined }>;
}

export interface CreditsOptions {
  readonly postgres: Postgres;
  readonly ledger: Ledger;
  readonly customers: CreditedCustomers;
  /** Each organization's time. */
  readonly clocks: { of(organization: OrganizationId): Clock };
  readonly noteExpiry: ExpiryNoted;
  /** Told whose credits have changed other than by an invoice, in the transaction of it. */
  readonly creditsChanged?: CreditsChanged;
}

export type CreditsChanged = (
  sql: Sql,
  organization: OrganizationId,
  customers: readonly CustomerId[],
) => Promise<void>;

/** Prepaid credit that was paid for through Weir. */
export interface ToppedUp {
  readonly customer: CustomerId;
  readonly amount: Money;
  /** The payment's id. */
  readonly reference: string;
  readonly at: Instant;
}

/** An invoice run reads a customer's open grants at once. */
export const open_grants_max = 1_000;

/** Credits of customers: granted, listed, voided by people; drawn on by invoices; expired by time. Every change is audited. */
export class Credits {
  readonly #on: CreditsOptions;
  readonly #draws: GrantDraws;

  constructor(options: CreditsOptions) {
    this.#on = options;
    this.#draws = new GrantDraws(options.ledger);
  }

  /**
   * Gives a customer credits. Paid ones are posted: the money came in outside of Weir, and is owed as credit.
   * @throws Refusal 400 listing every fault by field; 404 for an unknown customer; 409 beyond 1,000 open grants
   */
  async grant(caller: Caller, input: NewGrant, idempotencyKey?: string): Promise<StoredGrant> {
    const { organization } = caller;
    const { postgres, ledger, customers, clocks, noteExpiry } = this.#on;
    const customer = await customers.get(organization, input.customer);
    return postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "credit.grant", input };
      const id = await runOnce(sql, request, async () => {
        const at = clocks.of(organization).now();
        const checked = checkGrant(input, { customer: customer.id, currency: customer.currency }, at);
        const open = await countOpenGrants(sql, checked.customer, checked.currency);
        if (open >= open_grants_max) throw tooManyGrants(checked.currency);
        const grant = { ...checked, id: newId("crg", at), createdAt: at };
        await insertGrant(sql, organization, grant);
        await ledger.post(sql, organization, grantPosting(grant));
        if (grant.expiresAt !== undefined) await noteExpiry(sql, organization, grant.id, grant.expiresAt);
        await this.#on.creditsChanged?.(sql, organization, [grant.customer]);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "credit.grant",
          target: grant.id,
          before: undefined,
          after: describeGrant(grant),
          at,
        });
        return grant.id;
      });
      return mustFindGrant(sql, id);
    });
  }

  /**
   * Takes away what is left of a grant; what invoices drew stays drawn. Of a paid grant it goes back as money, outside of
   * Weir. What an invoice that is voided later gives back can be drawn again, or voided again.
   * @throws Refusal 404; 409 when nothing is left
   */
  async void(
    caller: Caller,
    input: { readonly grant: string; readonly reason: string },
    idempotencyKey?: string,
  ): Promise<StoredGrant> {
    const { organization } = caller;
    const { postgres, ledger, clocks } = this.#on;
    checkReason(input.reason, "invalid-credit-void");
    return postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "credit.void", input };
      const id = await runOnce(sql, request, async () => {
        const at = clocks.of(organization).now();
        const [grant] = await lockGrantsById(sql, [input.grant]);
        if (grant === undefined) throw unknownGrant(input.grant);
        const { balance, amount } = withdraw(grant);
        if (amount === 0n) throw nothingLeft(grant);
        const voided = movement(grant, "void", amount, at, { reason: input.reason });
        await insertMovements(sql, organization, [voided]);
        await updateBalances(sql, new Map([[grant.id, balance]]));
        await ledger.post(sql, organization, voidPosting(grant, voided.id, amount));
        await this.#on.creditsChanged?.(sql, organization, [grant.customer]);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "credit.void",
          target: grant.id,
          before: { remaining: grant.remaining },
          after: { remaining: grant.remaining - amount, voided: amount, reason: input.reason },
          at,
        });
        return grant.id;
      });
      return mustFindGrant(sql, id);
    });
  }

  /**
   * Makes the grant of a top-up that was paid through Weir, in the caller's transaction: the payment has posted the money.
   * @returns its id
   */
  async grantToppedUp(
    sql: Sql,
    organization: OrganizationId,
    { customer, amount, reference, at }: ToppedUp,
  ): Promise<CreditGrantId> {
    const grant: Omit<CreditGrant, "remaining"> = {
      id: newId("crg", at),
      customer,
      kind: "paid",
      currency: amount.currency,
      amount: amount.minor,
      priority: priority_default,
      effectiveFrom: at,
      expiresAt: undefined,
      note: `top-up ${reference}`,
      createdAt: at,
    };
    await insertGrant(sql, organization, grant);
    await recordAudit(sql, {
      organization,
      actor: "system",
      action: "credit.top_up",
      target: grant.id,
      before: undefined,
      after: describeGrant(grant),
      at,
    });
    return grant.id;
  }

  /** What can be taken back of a grant. */
  async leftOf(sql: Sql, id: CreditGrantId): Promise<bigint> {
    const grant = await mustFindGrant(sql, id);
    return grant.remaining - grant.expired;
  }

  /**
   * Takes back a part of a paid grant whose money is refunded, in the caller's transaction; the refund posts it.
   * @throws Refusal 409 for more than is left
   */
  async takeBack(
    sql: Sql,
    organization: OrganizationId,
    { grant: id, amount, reason }: { grant: CreditGrantId; amount: bigint; reason: string },
  ): Promise<void> {
    const [grant] = await lockGrantsById(sql, [id]);
    if (grant === undefined) throw unknownGrant(id);
    const left = grant.remaining - grant.expired;
    if (amount > left) throw beyondCredit(grant, left, amount);
    await this.#moveVoided(sql, organization, grant, "void", amount, reason);
  }

  /** Gives back what was taken for a refund that did not arrive, in the caller's transaction; the refund posts it. */
  async giveBack(
    sql: Sql,
    organization: OrganizationId,
    { grant: id, amount, reason }: { grant: CreditGrantId; amount: bigint; reason: string },
  ): Promise<void> {
    const [grant] = await lockGrantsById(sql, [id]);
    if (grant === undefined) throw unknownGrant(id);
    await this.#moveVoided(sql, organization, grant, "reinstate", amount, reason);
  }

  async #moveVoided(
    sql: Sql,
    organization: OrganizationId,
    grant: StoredGrant,
    kind: "void" | "reinstate",
    amount: bigint,
    reason: string,
  ): Promise<void> {
    const at = this.#on.clocks.of(organization).now();
    const balance = kind === "void" ? takeOff(grant, amount) : reinstate(grant, amount);
    await insertMovements(sql, organization, [movement(grant, kind, amount, at, { reason })]);
    await updateBalances(sql, new Map([[grant.id, balance]]));
    await this.#on.creditsChanged?.(sql, organization, [grant.customer]);
  }

  /**
   * Books what is left of a grant that is over, in the caller's transaction; called when the organization's clock comes to
   * its expiry. Again changes nothing.
   * @returns what was booked, in minor units; undefined when there is no such grant or it is not over at `at`
   */
  async expireGrant(
    sql: Sql,
    organization: OrganizationId,
    id: CreditGrantId,
    at: Instant,
  ): Promise<bigint | undefined> {
    const done = await this.#draws.expireGrant(sql, organization, id, at);
    if (done === undefined || done.amount === 0n) return done?.amount;
    await this.#on.creditsChanged?.(sql, organization, [done.grant.customer]);
    await recordAudit(sql, {
      organization,
      actor: "system",
      action: "credit.expire",
      target: id,
      before: undefined,
      after: { expired: done.amount },
      at,
    });
    return done.amount;
  }

  async list(organization: OrganizationId, page: GrantPage): Promise<StoredGrant[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listGrants(sql, page));
  }

  async find(organization: OrganizationId, id: string): Promise<StoredGrant | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findGrant(sql, id));
  }

  /** What happened to a grant, oldest first. */
  async movements(
    organization: OrganizationId,
    page: { grant: CreditGrantId; after?: string; limit: number },
  ): Promise<CreditMovement[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listMovements(sql, page));
  }

  /** What a customer has now, by currency and kind. */
  async totalsOf(organization: OrganizationId, customer: CustomerId): Promise<CreditTotals[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => this.sums(sql, organization, customer));
  }

  /** The same in the caller's transaction. */
  sums(sql: Sql, organization: OrganizationId, customer: CustomerId): Promise<CreditTotals[]> {
    return sumCredits(sql, customer, this.#on.clocks.of(organization).now());
  }

  /** See GrantDraws: what invoices do, in their transaction. */
  lockGrants(
    sql: Sql,
    of: readonly { readonly customer: CustomerId; readonly currency: Currency }[],
  ): Promise<StoredGrant[]> {
    return this.#draws.lockGrants(sql, of);
  }

  applyGrants(sql: Sql, organization: OrganizationId, uses: readonly GrantUse[], at: Instant): Promise<void> {
    return this.#draws.applyGrants(sql, organization, uses, at);
  }

  async restoreGrants(
    sql: Sql,
    organization: OrganizationId,
    invoices: readonly InvoiceId[],
    at: Instant,
  ): Promise<GrantUse[]> {
    const restored = await this.#draws.restoreGrants(sql, organization, invoices, at);
    if (restored.length === 0 || this.#on.creditsChanged === undefined) return restored;
    const grants = await lockGrantsById(sql, [...new Set(restored.map(({ grant }) => grant))]);
    await this.#on.creditsChanged(sql, organization, [...new Set(grants.map(({ customer }) => customer))]);
    return restored;
  }
}

async function mustFindGrant(sql: Sql, id: string): Promise<StoredGrant> {
  const found = await findGrant(sql, id);
  if (found === undefined) throw unknownGrant(id);
  return found;
}

function describeGrant(grant: Omit<CreditGrant, "remaining">) {
  const { customer, kind, currency, amount, priority, effectiveFrom, expiresAt, note } = grant;
  return {
    customer,
    kind,
    currency,
    amount,
    priority,
    note: note ?? null,
    effectiveFrom: formatInstant(effectiveFrom),
    expiresAt: expiresAt === undefined ? null : formatInstant(expiresAt),
  };
}

function unknownGrant(id: string): Refusal {
  const detail = `There is no credit grant "${id}".`;
  return new Refusal(makeProblem("credit-grant-not-found", 404, "No such credit grant", detail));
}

function nothingLeft(grant: StoredGrant): Refusal {
  const detail = `Of grant ${grant.id} nothing is left: it was used, voided or has expired.`;
  return new Refusal(makeProblem("credit-grant-used-up", 409, "Nothing is left of the credit grant", detail));
}

function beyondCredit({ id, currency }: StoredGrant, left: bigint, asked: bigint): Refusal {
  const [rest, wanted] = [left, asked].map((minor) => formatMoney({ currency, minor }));
  const detail = `Of grant ${id} ${rest} are left: ${wanted} cannot be taken back, since the rest was used.`;
  return new Refusal(makeProblem("refund-above-credit", 409, "More than is left of the credit", detail));
}

function tooManyGrants(currency: Currency): Refusal {
  const detail = `The customer has ${open_grants_max} grants in ${currency} that are not used up. Void some, or wait until they are used.`;
  return new Refusal(makeProblem("too-many-credit-grants", 409, "Too many open credit grants", detail));
}
