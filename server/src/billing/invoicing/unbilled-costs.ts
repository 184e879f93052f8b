import type { Sql } from "../../engines/postgres/index.js";
import type { Clocks } from "../../kernel/clock.js";
import type { Currency } from "../../kernel/currency.js";
import type { CustomerId, OrganizationId, SubscriptionId } from "../../kernel/ids.js";
import { day, type Instant } from "../../kernel/instant.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { unbilledSections } from "../core/index.js";
import { readProgress } from "../store/billing-progress.js";
import { readDraftTotals, type DraftTotals } from "../store/invoices.js";
import { listRunningOfPayers } from "../store/subscriptions.js";
import { usageBefore } from "../usage-before.js";
import { assembleInvoice } from "./assemble-invoice.js";
import { Funds, type CreditsPort, type LedgerPort } from "./funds.js";
import type { OrderedSection } from "./invoice-order.js";
import { orderInvoices } from "./order-invoices.js";
import { late_usage_days, priceInvoices, type PricingDependencies } from "./price-invoices.js";
import type { PricedInvoice } from "./priced-invoice.js";
import { readKnown } from "./situation.js";

export interface UnbilledCostsDependencies extends PricingDependencies {
  readonly ledger: LedgerPort;
  readonly credits: CreditsPort;
  readonly clocks: Clocks;
}

/** What a payer would be invoiced now in one currency, in minor units. */
export interface UnbilledSum {
  readonly currency: Currency;
  /** With tax, after promotional credits; an invoice that gives back does not pay another. */
  readonly total: bigint;
  /** With tax and without any credits; what gives back is subtracted. */
  readonly cost: bigint;
}

/** What runs for a payer and stands on no finalized invoice. */
export interface UnbilledCost {
  /** One for each currency in which there is anything. */
  readonly sums: readonly UnbilledSum[];
  /** What its subscriptions' progress had counted to: the sums hold as long as it is the same. */
  readonly progress: ReadonlyMap<SubscriptionId, number>;
  /** The start of the oldest of them. */
  readonly since: Instant | undefined;
}

/** Of one payer: more cannot be priced while somebody waits. */
export const unbilled_subscriptions_max = 1_000;

/** What payers have used and were not billed: by the usage known now, in few queries however many payers there are. */
export class UnbilledCosts {
  readonly #on: UnbilledCostsDependencies;

  constructor(dependencies: UnbilledCostsDependencies) {
    this.#on = dependencies;
  }

  /**
   * Prices the periods that run, those that have ended and wait for their run, and takes drafts as they were computed last: what
   * came after that to a draft's period is in the one that runs, as it will be on its invoice.
   *
   * @param options.usageBefore  usage of before this instant only, by the time of the events
   * @throws Refusal 422 for a payer of more than 1,000 subscriptions; 409 while a meter's history is still being measured
   */
  async of(
    organization: OrganizationId,
    payers: readonly CustomerId[],
    options: { readonly usageBefore?: Instant } = {},
  ): Promise<ReadonlyMap<CustomerId, UnbilledCost>> {
    const { postgres, clocks, usage } = this.#on;
    const now = clocks.of(organization).now();
    const { known, payerOf, orders, drafts } = await postgres.inOrganization(organization, async (sql) => {
      // One that has ended is left out once its last boundary cannot be late any more.
      const since = (now - late_usage_days * day) as Instant;
      const listed = await listRunningOfPayers(sql, payers, since, unbilled_subscriptions_max + 1);
      refuseTooMany(listed);
      const read = await readKnown(
        sql,
        listed.map(({ id }) => id),
      );
      const sections = [...read.subscriptions.values()].flatMap((subscription): OrderedSection[] =>
        unbilledSections(subscription, read.progress.get(subscription.id)?.doneUntil, now).map((section) => ({
          subscription: subscription.id,
          ...section,
        })),
      );
      return {
        known: read,
        payerOf: listed,
        orders: await orderInvoices(sql, sections, read),
        drafts: await readDraftTotals(sql, payers),
      };
    });
    const pricing = options.usageBefore === undefined ? usage : usageBefore(usage, options.usageBefore);
    const priced = await priceInvoices({ ...this.#on, usage: pricing }, organization, orders, known);
    const anew = new Set(orders.flatMap(({ draft }) => (draft === undefined ? [] : [draft.id])));
    const standing = drafts.filter(({ id }) => !anew.has(id));
    const sums = await this.#add(organization, standing, priced);
    return new Map(
      payers.map((payer) => {
        const own = payerOf.flatMap(({ payer: of, id }) => (of === payer ? [id] : []));
        const starts = own.flatMap((id) => known.subscriptions.get(id)?.startedAt ?? []);
        return [
          payer,
          {
            sums: [...(sums.get(payer) ?? new Map<Currency, UnbilledSum>()).values()],
            progress: new Map(own.map((id) => [id, known.progress.get(id)?.version ?? 0])),
            since: starts.length === 0 ? undefined : (Math.min(...starts) as Instant),
          },
        ];
      }),
    );
  }

  /** Whether nothing was billed or changed since it was read, in the caller's transaction. */
  async holds(sql: Sql, { progress }: Pick<UnbilledCost, "progress">): Promise<boolean> {
    const now = await readProgress(sql, [...progress.keys()]);
    return [...progress].every(([id, version]) => (now.get(id)?.version ?? 0) === version);
  }

  /** Promotional credits go to what falls due first, as they will. */
  async #add(
    organization: OrganizationId,
    drafts: readonly DraftTotals[],
    priced: readonly PricedInvoice[],
  ): Promise<Map<CustomerId, Map<Currency, UnbilledSum>>> {
    const sums = new Map<CustomerId, Map<Currency, UnbilledSum>>();
    const add = (payer: CustomerId, { currency, total, cost }: UnbilledSum) => {
      const own = sums.get(payer) ?? new Map<Currency, UnbilledSum>();
      sums.set(payer, own);
      const before = own.get(currency);
      const due = total > 0n ? total : 0n;
      own.set(currency, {
        currency,
        total: (before?.total ?? 0n) + due,
        cost: (before?.cost ?? 0n) + cost,
      });
    };
    const payments = [
      ...drafts.map(({ customer, currency }) => ({ payer: customer, currency })),
      ...priced.map(({ payer, currency }) => ({ payer: payer.id, currency })),
    ];
    if (payments.length === 0) return sums;
    const funds = await this.#on.postgres.inOrganization(organization, (sql) =>
      Funds.hold(sql, this.#on, payments),
    );
    const nothing = new Funds([], new Map());
    for (const { customer, currency, boundary, promotional, total } of drafts) {
      const used = { promotional, paid: 0n, balance: 0n, toBalance: 0n };
      funds.take({ payer: customer, currency }, boundary, used);
      add(customer, { currency, total, cost: total });
    }
    for (const invoice of priced.toSorted((one, other) => one.boundary - other.boundary)) {
      const { payer, currency } = invoice;
      const { total: cost } = assembleInvoice(invoice, nothing).totals;
      add(payer.id, { currency, total: assembleInvoice(invoice, funds).totals.total, cost });
    }
    return sums;
  }
}

function refuseTooMany(listed: readonly { readonly payer: CustomerId }[]): void {
  const counts = new Map<CustomerId, number>();
  for (const { payer } of listed) counts.set(payer, (counts.get(payer) ?? 0) + 1);
  const over = [...counts].find(([, count]) => count > unbilled_subscriptions_max);
  if (over === undefined) return;
  const detail = `Customer ${over[0]} pays for more than ${unbilled_subscriptions_max} subscriptions: what they have used so far is not priced at one go. See their invoices, or preview them one by one.`;
  throw new Refusal(
    makeProblem("too-many-subscriptions", 422, "Too many subscriptions to price at once", detail),
  );
}
