import { runOnce } from "../../audit/index.js";
import type { Postgres, Sql } from "../../engines/postgres/index.js";
import type { Caller } from "../../identity/index.js";
import type { Clocks, Clock } from "../../kernel/clock.js";
import type { InvoiceId, OrganizationId } from "../../kernel/ids.js";
import { formatInstant, hour, type Instant } from "../../kernel/instant.js";
import { makeProblem, Refusal, StoreUnavailable } from "../../kernel/problem.js";
import { findSections } from "../store/invoice-sections.js";
import { findInvoice, findInvoiceByNumber, listInvoices, type InvoiceFilter } from "../store/invoices.js";
import { mustFindPeriod, type Subscriptions } from "../subscriptions.js";
import { assembleInvoice, wholeLines } from "./assemble-invoice.js";
import { Funds } from "./funds.js";
import type { InvoiceOrder, OrderedSection } from "./invoice-order.js";
import type { Invoice, InvoicePreview } from "./invoice.js";
import { priceInvoices, type PricingDependencies } from "./price-invoices.js";
import { Outdated, writeInvoices, type Writing, type WritingDependencies } from "./write-invoices.js";

export interface InvoicesDependencies extends PricingDependencies, WritingDependencies {
  readonly postgres: Postgres;
  readonly subscriptions: Subscriptions;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

/** How often an invoice is computed again because something changed meanwhile. */
const computations_max = 6;
// Before one that was made by hand, of a period long over, is finalized by itself.
const look_hours = 1;

/** Invoices: previewed from usage, stored as drafts with their inputs, refreshed, finalized. Every change is audited. */
export class Invoices {
  readonly #on: InvoicesDependencies;

  constructor(dependencies: InvoicesDependencies) {
    this.#on = dependencies;
  }

  /** By id, newest first; those that a customer pays or has a subscription on, of a subscription, of a status when given. */
  async list(
    organization: OrganizationId,
    page: InvoiceFilter & { readonly after?: string; readonly limit: number },
  ): Promise<Invoice[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listInvoices(sql, page));
  }

  /** By id or number. */
  async find(organization: OrganizationId, idOrNumber: string): Promise<Invoice | undefined> {
    return this.#on.postgres.inOrganization(
      organization,
      async (sql) => (await findInvoice(sql, idOrNumber)) ?? (await findInvoiceByNumber(sql, idOrNumber)),
    );
  }

  /** By id or number. @throws Refusal 404 */
  async get(organization: OrganizationId, idOrNumber: string): Promise<Invoice> {
    const found = await this.find(organization, idOrNumber);
    if (found === undefined) throw unknownInvoice(idOrNumber);
    return found;
  }

  /**
   * What the invoice of the period that holds `at` (now when left out) would be by the usage known now. Nothing is stored.
   * @throws Refusal 404 for an unknown subscription, 409 before it begins
   */
  async preview(organization: OrganizationId, subscriptionId: string, at?: Instant): Promise<InvoicePreview> {
    const { postgres, clocks } = this.#on;
    const computedAt = clocks.of(organization).now();
    const section = await this.#sectionAt(organization, subscriptionId, at ?? computedAt);
    const [priced] = await priceInvoices(this.#on, organization, [{ draft: undefined, sections: [section] }]);
    if (priced === undefined) throw new RangeError("one order gives one invoice");
    const { payer, currency } = priced;
    const assembled = await postgres.inOrganization(organization, async (sql) =>
      assembleInvoice(priced, await Funds.hold(sql, this.#on, [{ payer: payer.id, currency }])),
    );
    const { kind, timeZone, boundary, issueAt, watermark, notices, sections } = priced;
    const { totals, taxes } = assembled;
    return {
      customer: payer.id,
      kind,
      currency,
      timeZone,
      boundary,
      issueAt,
      watermark,
      totals,
      taxes,
      notices,
      sections,
      lines: wholeLines(assembled),
      computedAt,
    };
  }

  /**
   * Stores the period's draft with the inputs it was computed from. There is one invoice per subscription, period and
   * kind: asked again, whoever asks, the one that is there is given back as it is.
   */
  async create(
    caller: Caller,
    input: { subscription: string; at?: Instant },
    idempotencyKey?: string,
  ): Promise<{ invoice: Invoice; created: boolean }> {
    const { organization } = caller;
    const at = input.at ?? this.#on.clocks.of(organization).now();
    const section = await this.#sectionAt(organization, input.subscription, at);
    const standing = await this.#standing(organization, section);
    if (standing !== undefined) return { invoice: await this.get(organization, standing), created: false };
    let created = false;
    // One of a period that is long over is there to be looked at first.
    const issueNotBefore = (this.#on.clocks.of(organization).now() + look_hours * hour) as Instant;
    const order = { draft: undefined, issueNotBefore, sections: [section] };
    const id = await this.#computeAndWrite(caller, order, async (sql, write) =>
      runOnce(sql, { organization, idempotencyKey, action: "invoice.create", input }, async () => {
        const [there] = await findSections(sql, [section]);
        if (there !== undefined) return there.invoice;
        const written = await write({ isFinal: () => false });
        created = true;
        return written;
      }),
    );
    return { invoice: await this.get(organization, id), created };
  }

  /**
   * Computes a draft anew from the usage known now; its lines keep their ids.
   * @throws Refusal 404; 409 for one that is finalized
   */
  async refresh(caller: Caller, idOrNumber: string, idempotencyKey?: string): Promise<Invoice> {
    const action = "invoice.refresh";
    return this.#rewrite(caller, idOrNumber, { action, idempotencyKey, isFinal: () => false });
  }

  /**
   * Computes a draft a last time and makes it final: numbered, posted to the ledger, drawn from credits and balance, all
   * or nothing. One that is final is given back as it is.
   * @throws Refusal 404; 409 before its period has ended, or while an earlier draft of a subscription stands
   */
  async finalize(caller: Caller, idOrNumber: string, idempotencyKey?: string): Promise<Invoice> {
    const { organization } = caller;
    const known = await this.get(organization, idOrNumber);
    if (known.status !== "draft") return known;
    const action = "invoice.finalize";
    const now = this.#on.clocks.of(organization).now();
    return this.#rewrite(caller, known.id, {
      action,
      idempotencyKey,
      isFinal: (priced) => {
        if (priced.boundary > now) throw notOver(priced.boundary);
        if (priced.waitsFor !== undefined) throw earlierDraft(priced.waitsFor);
        return true;
      },
    });
  }

  async #rewrite(
    caller: Caller,
    idOrNumber: string,
    {
      action,
      idempotencyKey,
      isFinal,
    }: { action: string; idempotencyKey: string | undefined; isFinal: Writing["isFinal"] },
  ): Promise<Invoice> {
    const { organization } = caller;
    const order = async (): Promise<InvoiceOrder> => {
      const before = await this.get(organization, idOrNumber);
      if (before.status !== "draft") throw notADraft(before);
      return orderOf(before);
    };
    const request = { organization, idempotencyKey, action, input: { invoice: idOrNumber } };
    const id = await this.#computeAndWrite(caller, order, (sql, write) =>
      runOnce(sql, request, () => write({ isFinal })),
    );
    return this.get(organization, id);
  }

  /**
   * Computes and writes one invoice, again while something changes in between. `inTransaction` decides within the
   * transaction whether it is written, and gives the invoice's id.
   */
  async #computeAndWrite(
    caller: Caller,
    order: InvoiceOrder | (() => Promise<InvoiceOrder>),
    inTransaction: (
      sql: Sql,
      write: (how: Pick<Writing, "isFinal">) => Promise<InvoiceId>,
    ) => Promise<string>,
  ): Promise<string> {
    const { organization } = caller;
    const { postgres, clock, clocks } = this.#on;
    return computeUntilCurrent(async () => {
      const priced = await priceInvoices(this.#on, organization, [
        typeof order === "function" ? await order() : order,
      ]);
      return postgres.inOrganization(organization, (sql) =>
        inTransaction(sql, async ({ isFinal }) => {
          const [written] = await writeInvoices(sql, this.#on, organization, priced, {
            actor: caller,
            now: clocks.of(organization).now(),
            recordedAt: clock.now(),
            isFinal,
          });
          if (written === undefined) throw new RangeError("one order gives one invoice");
          return written.id;
        }),
      );
    });
  }

  async #standing(organization: OrganizationId, section: OrderedSection): Promise<InvoiceId | undefined> {
    const [found] = await this.#on.postgres.inOrganization(organization, (sql) =>
      findSections(sql, [section]),
    );
    return found?.invoice;
  }

  async #sectionAt(organization: OrganizationId, id: string, at: Instant): Promise<OrderedSection> {
    const subscription = await this.#on.subscriptions.get(organization, id);
    return { subscription: subscription.id, kind: "period", period: mustFindPeriod(subscription, at) };
  }
}

/** A draft computed anew: the same sections. */
export function orderOf(
  invoice: Pick<Invoice, "id" | "revision" | "createdAt" | "issueAt" | "sections">,
): InvoiceOrder {
  const { id, revision, createdAt, issueAt, sections } = invoice;
  return {
    draft: { id, revision, createdAt, issueAt },
    sections: sections.map(({ subscription, kind, period }) => ({ subscription, kind, period })),
  };
}

/** Runs a computation and what writes it, again when it was outdated. @throws StoreUnavailable when it is each time */
export async function computeUntilCurrent<T>(work: () => Promise<T>): Promise<T> {
  for (let computations = 1; ; computations += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Outdated)) throw error;
      if (computations < computations_max) continue;
      throw new StoreUnavailable(`${error.message}, ${computations} times in a row`, { cause: error });
    }
  }
}

function unknownInvoice(id: string): Refusal {
  const detail = `There is no invoice with the id or number "${id.slice(0, 64)}".`;
  return new Refusal(makeProblem("invoice-not-found", 404, "No such invoice", detail));
}

function notADraft({ id, status, finalized }: Invoice): Refusal {
  const detail = `Invoice ${finalized?.number ?? id} is ${status}, so it never changes. A credit note gives back what was too much.`;
  return new Refusal(makeProblem("invoice-not-a-draft", 409, "The invoice is final", detail));
}

function notOver(boundary: Instant): Refusal {
  const detail = `The period ends at ${formatInstant(boundary)}. Preview the invoice until then.`;
  return new Refusal(makeProblem("period-not-over", 409, "The period is not over", detail));
}

function earlierDraft(invoice: InvoiceId): Refusal {
  const detail = `Draft ${invoice} is of an earlier time of the same subscription, and this one bills what that one does not. Finalize it first.`;
  return new Refusal(makeProblem("earlier-draft", 409, "An earlier draft comes first", detail, { invoice }));
}
