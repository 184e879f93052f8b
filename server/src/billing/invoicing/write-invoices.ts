import { recordAudits, type AuditActor } from "../../audit/index.js";
import type { Sql } from "../../engines/postgres/index.js";
import type { BillingProfile } from "../../identity/index.js";
import { newId, type InvoiceId, type OrganizationId, type SubscriptionId } from "../../kernel/ids.js";
import { day, hour, type Instant } from "../../kernel/instant.js";
import { earnedOf, finalizePosting } from "../core/index.js";
import type { Customer } from "../customer.js";
import { takeProgress } from "../store/billing-progress.js";
import { insertLines, linePlace, readLineIds, type StoredLine } from "../store/invoice-lines.js";
import { numberText, takeNumbers } from "../store/invoice-numbers.js";
import { deleteParts, insertSections } from "../store/invoice-sections.js";
import { insertInvoices, lockInvoices, updateDrafts, type InvoiceRow } from "../store/invoices.js";
import { assembleInvoice, type AssembledInvoice } from "./assemble-invoice.js";
import { describeInvoice } from "./describe-invoice.js";
import { finalizedMessage, type WebhooksPort } from "./invoice-webhooks.js";
import { Funds, type CreditsPort, type LedgerPort } from "./funds.js";
import type { Buyer, Finalization, InvoiceHead } from "./invoice.js";
import type { ReceivablesPort } from "./receivables-port.js";
import type { Deferral, RevenuePort } from "./revenue-port.js";
import type { PricedInvoice, PricedLine } from "./priced-invoice.js";

/** Sees to it that drafts are finalized when their grace is over; in the transaction that writes them. */
export type DraftsNoted = (
  sql: Sql,
  organization: OrganizationId,
  drafts: readonly { readonly invoice: InvoiceId; readonly issueAt: Instant }[],
) => Promise<void>;

/** An invoice as it was finalized. */
export type FinalizedInvoice = Pick<InvoiceHead, "id" | "customer" | "currency" | "timeZone" | "totals"> & {
  readonly finalized: Finalization;
};

/** Told which invoices were finalized, in the transaction of it, once for all that it writes and after they stand. */
export type InvoicesFinalized = (
  sql: Sql,
  organization: OrganizationId,
  invoices: readonly FinalizedInvoice[],
) => Promise<void>;

export interface WritingDependencies {
  readonly ledger: LedgerPort;
  readonly credits: CreditsPort;
  readonly receivables: ReceivablesPort;
  readonly revenue: RevenuePort;
  /** Who sells, as invoices say it. */
  readonly sellerOf: (sql: Sql, organization: OrganizationId) => Promise<BillingProfile | undefined>;
  readonly draftsNoted?: DraftsNoted | undefined;
  readonly webhooks?: WebhooksPort | undefined;
  readonly invoicesFinalized?: InvoicesFinalized | undefined;
}

export interface Writing {
  readonly actor: AuditActor;
  /** In the organization's time. */
  readonly now: Instant;
  /** In real time: when it is recorded. */
  readonly recordedAt: Instant;
  readonly isFinal: (invoice: PricedInvoice) => boolean;
  /** The versions of the subscriptions' progress, when the caller has taken it already in this transaction. */
  readonly taken?: ReadonlyMap<SubscriptionId, number>;
}

/** Thrown when what invoices were computed from has changed since: they are to be computed again. */
export class Outdated extends Error {}

/** What became of an invoice that was written. */
export interface WrittenInvoice {
  readonly id: InvoiceId;
  readonly isNew: boolean;
  readonly isFinalized: boolean;
}

/**
 * Writes computed invoices in the caller's transaction: as drafts, or finalized, which is numbered, posted to the ledger
 * and drawn from credits with them or not at all. A handful of statements, however many invoices there are.
 *
 * @param invoices  no two with a section of one subscription
 * @throws Outdated when a subscription, what is billed of it, or a draft has changed since they were computed
 */
export async function writeInvoices(
  sql: Sql,
  on: WritingDependencies,
  organization: OrganizationId,
  invoices: readonly PricedInvoice[],
  writing: Writing,
): Promise<WrittenInvoice[]> {
  await claim(sql, organization, invoices, writing.taken);
  const funds = await Funds.hold(
    sql,
    on,
    invoices.map(({ payer, currency }) => ({ payer: payer.id, currency })),
  );
  const assembled = invoices.map((invoice) => assembleInvoice(invoice, funds));
  const drafts = invoices.flatMap(({ draft }) => draft?.id ?? []);
  const lineIds = drafts.length === 0 ? new Map<string, never>() : await readLineIds(sql, drafts);
  if (drafts.length > 0) await deleteParts(sql, drafts);
  const seller = invoices.some(writing.isFinal) ? await on.sellerOf(sql, organization) : undefined;
  const rows = assembled.map((one) => rowOf(one, seller, writing));
  const linesOfEach = assembled.map((one, index) => linesOf(rows[index]?.id, one, lineIds, writing.now));
  await insertSections(
    sql,
    organization,
    assembled.flatMap(({ priced: { sections } }, index) =>
      sections.map((section) => ({ ...section, invoice: mustHave(rows[index]).id })),
    ),
  );
  await insertLines(sql, organization, linesOfEach.flat());
  const postings = assembled.flatMap((one, index) => {
    const { id, status } = mustHave(rows[index]);
    return status === "draft" ? [] : (finalizePosting(postedOf(id, one, writing.now)) ?? []);
  });
  if (postings.length > 0) await on.ledger.post(sql, organization, postings);
  const waiting = rows.filter(({ status }) => status === "draft");
  const isWaiting = new Set(
    rows.flatMap(({ id }, index) => (invoices[index]?.waitsFor === undefined ? [] : [id])),
  );
  await on.draftsNoted?.(
    sql,
    organization,
    waiting.map(({ id, issueAt }) => ({
      invoice: id,
      // One that waits for an earlier draft would otherwise be computed again and again until that is final.
      issueAt: issueAt <= writing.now && isWaiting.has(id) ? ((writing.now + hour) as Instant) : issueAt,
    })),
  );
  const numbered = await numberRows(sql, organization, rows);
  const isNew = (index: number) => invoices[index]?.draft === undefined;
  await insertInvoices(
    sql,
    organization,
    numbered.filter((_, index) => isNew(index)),
  );
  await updateDrafts(
    sql,
    numbered.filter((_, index) => !isNew(index)),
  );
  await on.receivables.invoicesFinalized(
    sql,
    organization,
    numbered.flatMap(({ id, customer, currency, totals, finalized }) =>
      finalized === undefined
        ? []
        : [{ invoice: id, customer, currency, due: totals.due, dueAt: finalized.paymentDueAt }],
    ),
  );
  const deferrals = assembled.flatMap((one, index) =>
    mustHave(numbered[index]).status === "draft"
      ? []
      : deferralsOf(one, linesOfEach[index] ?? [], writing.now),
  );
  if (deferrals.length > 0) await on.revenue.defer(sql, organization, deferrals);
  const uses = assembled.flatMap(({ draws }, index) => {
    const { id, status } = mustHave(rows[index]);
    return status === "draft" ? [] : draws.map(({ grant, amount }) => ({ grant, invoice: id, amount }));
  });
  await on.credits.applyGrants(sql, organization, uses, writing.now);
  await on.invoicesFinalized?.(
    sql,
    organization,
    numbered.flatMap(({ id, customer, currency, timeZone, totals, finalized }) =>
      finalized === undefined ? [] : [{ id, customer, currency, timeZone, totals, finalized }],
    ),
  );
  await recordAudits(
    sql,
    numbered.map((row, index) => ({
      organization,
      actor: writing.actor,
      action:
        row.status === "finalized" ? "invoice.finalize" : isNew(index) ? "invoice.create" : "invoice.refresh",
      target: row.id,
      before: isNew(index) ? undefined : { revision: row.revision - 1 },
      after: describeInvoice(row, invoices[index]?.sections ?? []),
      at: writing.recordedAt,
    })),
  );
  await on.webhooks?.publishAll(
    sql,
    organization,
    numbered.flatMap((row) => finalizedMessage(row) ?? []),
  );
  return numbered.map(({ id, status }, index) => ({
    id,
    isNew: isNew(index),
    isFinalized: status === "finalized",
  }));
}

/** Takes what invoices were computed from, and sees that it is as it was then. */
async function claim(
  sql: Sql,
  organization: OrganizationId,
  invoices: readonly PricedInvoice[],
  taken: ReadonlyMap<SubscriptionId, number> | undefined,
): Promise<void> {
  const expected = new Map(invoices.flatMap(({ progress }) => [...progress]));
  const versions = taken ?? (await takeProgress(sql, organization, [...expected.keys()]));
  expectVersions(versions, expected);
  const drafts = invoices.flatMap(({ draft }) => (draft === undefined ? [] : [draft]));
  if (drafts.length === 0) return;
  const locked = await lockInvoices(
    sql,
    drafts.map(({ id }) => id),
  );
  for (const { id, revision } of drafts) {
    const known = locked.get(id);
    if (known?.status !== "draft" || known.revision !== revision)
      throw new Outdated(`draft ${id} has changed since it was computed`);
  }
}

/**
 * Sees that subscriptions and what is billed of them are as they were at versions of their progress that were read.
 *
 * @param taken  the versions now that their progress is held
 * @throws Outdated
 */
export function expectVersions(
  taken: ReadonlyMap<SubscriptionId, number>,
  read: ReadonlyMap<SubscriptionId, number>,
): void {
  for (const [subscription, version] of read)
    if (taken.get(subscription) !== version + 1)
      throw new Outdated(`billing of ${subscription} has gone on since it was computed`);
}

/** The row of an invoice; its number comes last. */
function rowOf(
  { priced, taxes, totals }: AssembledInvoice,
  seller: BillingProfile | undefined,
  writing: Writing,
): InvoiceRow {
  const { draft, payer, kind, currency, timeZone, boundary, issueAt, watermark, notices } = priced;
  const { now } = writing;
  const final = writing.isFinal(priced);
  return {
    id: draft?.id ?? newId("inv", now),
    customer: payer.id,
    kind,
    status: final ? "finalized" : "draft",
    currency,
    timeZone,
    boundary,
    issueAt,
    watermark,
    totals,
    taxes,
    notices,
    revision: (draft?.revision ?? 0) + 1,
    createdAt: draft?.createdAt ?? now,
    refreshedAt: now,
    finalized: final
      ? {
          sequence: 0,
          number: "",
          buyer: buyerOf(payer),
          seller,
          at: now,
          paymentDueAt: (now + payer.paymentTermsDays * day) as Instant,
        }
      : undefined,
    voidedAt: undefined,
  };
}

function buyerOf(payer: Customer): Buyer {
  const { key, name, email, address, taxId, locale, paymentTermsDays } = payer;
  const { electronicAddress, registrationNumber, buyerReference } = payer;
  const known = { key, name, email, address, taxId, locale, paymentTermsDays };
  return { ...known, electronicAddress, registrationNumber, buyerReference };
}

function linesOf(
  invoice: InvoiceId | undefined,
  { priced, lines }: AssembledInvoice,
  known: ReadonlyMap<string, StoredLine["id"]>,
  now: Instant,
): StoredLine[] {
  if (invoice === undefined) throw new RangeError("an invoice has no row");
  return priced.lines.map((line, position) => {
    const { subscription } = mustHave(priced.sections[line.section]);
    const place = { invoice, subscription, item: line.item, period: line.period };
    const id = (known.size === 0 ? undefined : known.get(linePlace(place))) ?? newId("il", now);
    const { promotional, taxable, tax } = mustHave(lines[position]);
    return { ...line, invoice, subscription, position, id, promotional, taxable, tax };
  });
}

function postedOf(id: InvoiceId, { priced, lines, totals }: AssembledInvoice, now: Instant) {
  return {
    id,
    payer: priced.payer.id,
    currency: priced.currency,
    lines: lines.map(({ promotional, taxable, tax }, index) => {
      const line = mustHave(priced.lines[index]);
      const deferred = isAhead(line, now) ? earnedOf({ promotional, taxable }) : 0n;
      return { promotional, taxable, tax, service: line.period, deferred };
    }),
    totals,
  };
}

/** Whether what a line is for is still to be given, at least in part. */
function isAhead({ earnedOver }: PricedLine, now: Instant): boolean {
  return earnedOver !== undefined && earnedOver.end > now;
}

function deferralsOf(
  { priced, lines }: AssembledInvoice,
  stored: readonly StoredLine[],
  now: Instant,
): Deferral[] {
  return priced.lines.flatMap((line, index) => {
    if (line.earnedOver === undefined || !isAhead(line, now)) return [];
    const amount = earnedOf(mustHave(lines[index]));
    if (amount === 0n) return [];
    const { invoice, id } = mustHave(stored[index]);
    const { timeZone } = mustHave(priced.sections[line.section]);
    const { currency, payer } = priced;
    return [{ invoice, line: id, customer: payer.id, currency, service: line.earnedOver, timeZone, amount }];
  });
}

/** Gives those that are finalized their numbers, in order. */
async function numberRows(
  sql: Sql,
  organization: OrganizationId,
  rows: readonly InvoiceRow[],
): Promise<InvoiceRow[]> {
  const count = rows.filter(({ finalized }) => finalized !== undefined).length;
  if (count === 0) return [...rows];
  let next = await takeNumbers(sql, organization, "invoice", count);
  return rows.map((row) => {
    if (row.finalized === undefined) return row;
    const sequence = next;
    next += 1;
    return {
      ...row,
      finalized: { ...row.finalized, sequence, number: numberText("invoice", sequence) },
    };
  });
}

function mustHave<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError("an invoice has no row");
  return value;
}
