import { recordAudit, runOnce } from "../audit/index.js";
import type { Catalog } from "../catalog/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import { newId, type CustomerId, type OrganizationId, type SubscriptionId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { formatMoney } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { phaseAt } from "./core/index.js";
import type { Customers } from "./customers.js";
import type { Invoice, InvoicePreview } from "./invoice.js";
import { previewInvoice } from "./preview-invoice.js";
import { writeInvoiceLine } from "./store/invoice-lines.js";
import {
  findInvoice,
  findInvoiceOfPeriod,
  insertInvoice,
  listInvoices,
  updateDraft,
} from "./store/invoices.js";
import { mustFindPeriod, type Subscriptions } from "./subscriptions.js";
import type { UsagePort } from "./usage-port.js";

export interface InvoicesDependencies {
  readonly postgres: Postgres;
  readonly catalog: Catalog;
  readonly usage: UsagePort;
  readonly customers: Customers;
  readonly subscriptions: Subscriptions;
  readonly clock: Clock;
}

/** Invoices: previewed from usage, stored as drafts with their inputs, refreshed. Every change is audited. */
export class Invoices {
  readonly #on: InvoicesDependencies;

  constructor(dependencies: InvoicesDependencies) {
    this.#on = dependencies;
  }

  async list(
    organization: OrganizationId,
    page: { customer?: CustomerId; subscription?: SubscriptionId; after?: string; limit: number },
  ): Promise<Invoice[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listInvoices(sql, page));
  }

  async find(organization: OrganizationId, id: string): Promise<Invoice | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findInvoice(sql, id));
  }

  /** @throws Refusal 404 */
  async get(organization: OrganizationId, id: string): Promise<Invoice> {
    return this.#on.postgres.inOrganization(organization, (sql) => mustFindInvoice(sql, id));
  }

  /**
   * What the period that holds `at` (now when left out) costs by the usage known now. Nothing is stored.
   * @throws Refusal 404 for an unknown subscription, 409 before it begins
   */
  async preview(organization: OrganizationId, subscriptionId: string, at?: Instant): Promise<InvoicePreview> {
    const now = this.#on.clock.now();
    const subscription = await this.#on.subscriptions.get(organization, subscriptionId);
    const period = mustFindPeriod(subscription, at ?? now);
    const phase = phaseAt(subscription, period.start);
    if (phase === undefined)
      throw new Error(`${subscription.id} has no phase at ${formatInstant(period.start)}`);
    const planVersion = await this.#on.catalog.getVersion(organization, phase.planVersion);
    const spans = await this.#on.customers.subjectsOf(organization, subscription.customer, period);
    return previewInvoice(this.#on.usage, { organization, subscription, planVersion, period, spans, now });
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
    const at = input.at ?? this.#on.clock.now();
    const existing = await this.#ofPeriod(organization, input.subscription, at);
    if (existing !== undefined) return { invoice: existing, created: false };
    const preview = await this.preview(organization, input.subscription, at);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      let created = false;
      const request = { organization, idempotencyKey, action: "invoice.create", input };
      const id = await runOnce(sql, request, async () => {
        const invoice = draftOf(preview);
        created = await insertInvoice(sql, organization, invoice);
        if (!created) {
          const { subscription, period, kind } = invoice;
          return (await mustFindOfPeriod(sql, subscription, period.start, kind)).id;
        }
        for (const [position, line] of preview.lines.entries()) {
          await writeInvoiceLine(sql, organization, invoice, position, newId("il", preview.computedAt), line);
        }
        const after = describeInvoice(invoice);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "invoice.create",
          target: invoice.id,
          before: undefined,
          after,
          at: invoice.createdAt,
        });
        return invoice.id;
      });
      return { invoice: await mustFindInvoice(sql, id), created };
    });
  }

  /**
   * Computes a draft anew from the usage known now; its lines keep their ids. When another refresh came in between,
   * that one's figures stand.
   * @throws Refusal 404
   */
  async refresh(caller: Caller, id: string, idempotencyKey?: string): Promise<Invoice> {
    const { organization } = caller;
    const before = await this.get(organization, id);
    const preview = await this.preview(organization, before.subscription, before.period.start);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "invoice.refresh", input: { invoice: id } };
      const refreshed = await runOnce(sql, request, async () => {
        const { watermark, subtotal, total, computedAt } = preview;
        const after = {
          ...before,
          watermark,
          subtotal,
          total,
          revision: before.revision + 1,
          refreshedAt: computedAt,
        };
        if (!(await updateDraft(sql, after))) return before.id;
        for (const [position, line] of preview.lines.entries()) {
          await writeInvoiceLine(sql, organization, after, position, newId("il", computedAt), line);
        }
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "invoice.refresh",
          target: before.id,
          before: describeInvoice(before),
          after: describeInvoice(after),
          at: computedAt,
        });
        return before.id;
      });
      return mustFindInvoice(sql, refreshed);
    });
  }

  async #ofPeriod(
    organization: OrganizationId,
    subscriptionId: string,
    at: Instant,
  ): Promise<Invoice | undefined> {
    const subscription = await this.#on.subscriptions.get(organization, subscriptionId);
    const { start } = mustFindPeriod(subscription, at);
    return this.#on.postgres.inOrganization(organization, (sql) =>
      findInvoiceOfPeriod(sql, subscription.id, start, "period"),
    );
  }
}

function draftOf(preview: InvoicePreview): Omit<Invoice, "lines"> {
  const { subscription, period, timeZone, currency, planVersion, watermark, subtotal, total, computedAt } =
    preview;
  return {
    id: newId("inv", computedAt),
    customer: subscription.customer,
    subscription: subscription.id,
    kind: "period",
    status: "draft",
    period,
    timeZone,
    currency,
    planVersion: planVersion.id,
    watermark,
    subtotal,
    total,
    revision: 1,
    createdAt: computedAt,
    refreshedAt: computedAt,
  };
}

async function mustFindOfPeriod(
  sql: Sql,
  subscription: SubscriptionId,
  start: Instant,
  kind: Invoice["kind"],
): Promise<Invoice> {
  const found = await findInvoiceOfPeriod(sql, subscription, start, kind);
  if (found === undefined)
    throw new Error(`the invoice of ${subscription} for ${formatInstant(start)} is in the way but not there`);
  return found;
}

/** @throws Refusal 404 */
async function mustFindInvoice(sql: Sql, id: string): Promise<Invoice> {
  const found = await findInvoice(sql, id);
  if (found !== undefined) return found;
  throw new Refusal(makeProblem("invoice-not-found", 404, "No such invoice", `There is no invoice "${id}".`));
}

/** An invoice as the audit log keeps it. */
function describeInvoice({
  subscription,
  kind,
  status,
  period,
  watermark,
  total,
  revision,
}: Omit<Invoice, "lines">) {
  const { start, end } = period;
  return {
    subscription,
    kind,
    status,
    periodStart: formatInstant(start),
    periodEnd: formatInstant(end),
    watermark,
    total: formatMoney(total),
    revision,
  };
}
