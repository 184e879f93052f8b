import type { Postgres, Sql } from "../../engines/postgres/index.js";
import type { Clock, Clocks } from "../../kernel/clock.js";
import type { InvoiceId, OrganizationId, SubscriptionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { toMoney } from "../../kernel/money.js";
import { dueSection, phaseAt, type Subscription } from "../core/index.js";
import { loadContracts } from "../load-contracts.js";
import { takeProgress } from "../store/billing-progress.js";
import { readSubscriptions } from "../store/subscriptions.js";
import { computeUntilCurrent, type InvoicesDependencies } from "./invoices.js";
import type { InvoiceOrder, OrderedSection } from "./invoice-order.js";
import { priceInvoices } from "./price-invoices.js";
import type { PricedInvoice } from "./priced-invoice.js";
import { inTurns, orderInvoices, ordersOfDrafts } from "./order-invoices.js";
import { readKnown } from "./situation.js";
import { expectVersions, writeInvoices, type WrittenInvoice } from "./write-invoices.js";

/** Told which subscriptions have had their boundary, in the transaction of it, so that their next wakes are set. */
export type BoundariesDone = (
  sql: Sql,
  organization: OrganizationId,
  subscriptions: readonly Subscription[],
  boundary: Instant,
) => Promise<void>;

/** Told which subscriptions' spend thresholds were looked at, in the transaction of it, so that it is done again. */
export type ThresholdsChecked = (
  sql: Sql,
  organization: OrganizationId,
  subscriptions: readonly Subscription[],
  now: Instant,
) => Promise<void>;

export interface DueInvoicesDependencies extends InvoicesDependencies {
  readonly postgres: Postgres;
  readonly clock: Clock;
  readonly clocks: Clocks;
  readonly boundariesDone?: BoundariesDone | undefined;
  readonly thresholdsChecked?: ThresholdsChecked | undefined;
}

/** What a run did. */
export interface RunOutcome {
  readonly finalized: number;
  readonly drafts: number;
  /** What could not be computed: each is to be tried alone. */
  readonly failed: readonly { readonly id: string; readonly error: string }[];
}

/** Invoices as time brings them: of many subscriptions at once, exactly once each, whoever asks how often. */
export class DueInvoices {
  readonly #on: DueInvoicesDependencies;

  constructor(dependencies: DueInvoicesDependencies) {
    this.#on = dependencies;
  }

  /**
   * Bills what subscriptions have at a boundary: finalized at once where there is nothing to wait for, else as drafts.
   * One that cannot be computed does not keep the others back.
   */
  async billAt(
    organization: OrganizationId,
    subscriptions: readonly SubscriptionId[],
    boundary: Instant,
  ): Promise<RunOutcome> {
    return this.#apart(subscriptions, (ids) => this.#billAt(organization, ids, boundary));
  }

  /**
   * Bills usage so far of subscriptions whose plan has a spend threshold that it has come to. Only prices that never cost
   * less for more usage are billed ahead of a period's end.
   */
  async billThresholds(
    organization: OrganizationId,
    subscriptions: readonly SubscriptionId[],
  ): Promise<RunOutcome> {
    return this.#apart(subscriptions, (ids) => this.#billThresholds(organization, ids));
  }

  /** Finalizes drafts whose grace is over; what is final already, or waits on, is left as it is. */
  async finalizeDue(organization: OrganizationId, drafts: readonly InvoiceId[]): Promise<RunOutcome> {
    return this.#apart(drafts, (ids) => this.#finalizeDue(organization, ids));
  }

  /** Bills a section of each subscription, such as what came late after its end; those that come to nothing are left out. */
  async billSections(organization: OrganizationId, sections: readonly OrderedSection[]): Promise<RunOutcome> {
    return this.#apart(sections, (some) =>
      computeUntilCurrent(async () => {
        const orders = await this.#on.postgres.inOrganization(organization, (sql) =>
          orderInvoices(sql, some),
        );
        const priced = await priceInvoices(this.#on, organization, orders);
        return this.#on.postgres.inOrganization(organization, (sql) =>
          this.#write(sql, organization, priced),
        );
      }),
    );
  }

  async #billAt(
    organization: OrganizationId,
    ids: readonly SubscriptionId[],
    boundary: Instant,
  ): Promise<WrittenInvoice[]> {
    const { postgres, boundariesDone } = this.#on;
    return computeUntilCurrent(async () => {
      const known = await postgres.inOrganization(organization, (sql) =>
        readKnown(sql, ids, (progress) => (progress?.doneUntil ?? -Infinity) < boundary),
      );
      const due = [...known.subscriptions.values()];
      const sections = due.flatMap((subscription): OrderedSection[] => {
        const section = dueSection(subscription, boundary);
        return section === undefined ? [] : [{ subscription: subscription.id, ...section }];
      });
      const orders = await postgres.inOrganization(organization, (sql) =>
        orderInvoices(sql, sections, known),
      );
      const priced = await priceInvoices(this.#on, organization, orders, known);
      return postgres.inOrganization(organization, async (sql) => {
        const done = new Map(due.map(({ id }) => [id, boundary]));
        const all = [...done.keys(), ...priced.flatMap(({ progress }) => [...progress.keys()])];
        const taken = await takeProgress(sql, organization, all, done);
        expectVersions(taken, new Map(due.map(({ id }) => [id, known.progress.get(id)?.version ?? 0])));
        await boundariesDone?.(sql, organization, due, boundary);
        // Last, since it takes numbers: other runs of the organization wait from there on.
        return this.#write(sql, organization, priced, taken);
      });
    });
  }

  async #billThresholds(
    organization: OrganizationId,
    ids: readonly SubscriptionId[],
  ): Promise<WrittenInvoice[]> {
    const { postgres, clocks, thresholdsChecked } = this.#on;
    return computeUntilCurrent(async () => {
      const now = clocks.of(organization).now();
      const subscriptions = await postgres.inOrganization(organization, (sql) => readSubscriptions(sql, ids));
      const thresholds = await this.#thresholdsAt(organization, subscriptions, now);
      const sections = [...thresholds.keys()].map(
        (subscription): OrderedSection => ({
          subscription,
          kind: "threshold",
          period: { start: now, end: now },
        }),
      );
      // One by one: what is billed ahead stands on an invoice of its own.
      const orders = sections.map((section): InvoiceOrder => ({ draft: undefined, sections: [section] }));
      const priced = await priceInvoices(this.#on, organization, orders);
      const reached = priced.filter(({ sections: [section], lines }) => {
        const threshold = section === undefined ? undefined : thresholds.get(section.subscription);
        return threshold !== undefined && lines.reduce((sum, { net }) => sum + net, 0n) >= threshold;
      });
      return postgres.inOrganization(organization, async (sql) => {
        const next = subscriptions.filter(({ id }) => thresholds.has(id));
        await thresholdsChecked?.(sql, organization, next, now);
        return this.#write(sql, organization, reached);
      });
    });
  }

  /** In minor units, of those that are charged by a plan with one at an instant. */
  async #thresholdsAt(
    organization: OrganizationId,
    subscriptions: readonly Subscription[],
    now: Instant,
  ): Promise<Map<SubscriptionId, bigint>> {
    const contracts = await loadContracts(this.#on.catalog, organization, subscriptions);
    const found = new Map<SubscriptionId, bigint>();
    for (const { subscription, planVersions } of contracts) {
      const phase = phaseAt(subscription, now);
      const plan = phase && planVersions.get(phase.planVersion);
      const amount = plan?.spendThreshold?.[subscription.currency];
      if (amount !== undefined) found.set(subscription.id, toMoney(amount, subscription.currency).minor);
    }
    return found;
  }

  async #finalizeDue(organization: OrganizationId, ids: readonly InvoiceId[]): Promise<WrittenInvoice[]> {
    const { postgres } = this.#on;
    const written: WrittenInvoice[] = [];
    const drafts = await postgres.inOrganization(organization, (sql) => ordersOfDrafts(sql, ids));
    for (const batch of inTurns(drafts)) {
      written.push(
        ...(await computeUntilCurrent(async () => {
          const orders = await postgres.inOrganization(organization, (sql) => ordersOfDrafts(sql, batch));
          const priced = await priceInvoices(this.#on, organization, orders);
          return postgres.inOrganization(organization, (sql) => this.#write(sql, organization, priced));
        })),
      );
    }
    return written;
  }

  #write(
    sql: Sql,
    organization: OrganizationId,
    priced: readonly PricedInvoice[],
    taken?: ReadonlyMap<SubscriptionId, number>,
  ): Promise<WrittenInvoice[]> {
    const { clock, clocks } = this.#on;
    const now = clocks.of(organization).now();
    const worth = priced.filter(({ isBare, draft }) => !isBare || draft !== undefined);
    if (worth.length === 0) return Promise.resolve([]);
    return writeInvoices(sql, this.#on, organization, worth, {
      actor: "system",
      now,
      recordedAt: clock.now(),
      ...(taken === undefined ? {} : { taken }),
      isFinal: ({ boundary, issueAt, waitsFor }) =>
        boundary <= now && issueAt <= now && waitsFor === undefined,
    });
  }

  /** Does all at once; where that fails, in halves, down to the one that cannot be done. */
  async #apart<T extends string | OrderedSection>(
    items: readonly T[],
    work: (items: readonly T[]) => Promise<readonly WrittenInvoice[]>,
  ): Promise<RunOutcome> {
    if (items.length === 0) return { finalized: 0, drafts: 0, failed: [] };
    try {
      const written = await work(items);
      const finalized = written.filter(({ isFinalized }) => isFinalized).length;
      return { finalized, drafts: written.length - finalized, failed: [] };
    } catch (error) {
      // What passes by itself is not the items' fault.
      if (isPassing(error)) throw error;
      const [only] = items;
      if (items.length === 1 && only !== undefined) {
        const id = typeof only === "string" ? only : only.subscription;
        return { finalized: 0, drafts: 0, failed: [{ id, error: String(error) }] };
      }
      const middle = Math.ceil(items.length / 2);
      const first = await this.#apart(items.slice(0, middle), work);
      const second = await this.#apart(items.slice(middle), work);
      return {
        finalized: first.finalized + second.finalized,
        drafts: first.drafts + second.drafts,
        failed: [...first.failed, ...second.failed],
      };
    }
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof Error && "retry" in error && error.retry === true;
}
