import type { Sql } from "../../engines/postgres/index.js";
import { instantOfMicros } from "../../engines/postgres/index.js";
import type { Money } from "../../kernel/money.js";
import type { OpenMovement, SettlementAccount, Target } from "../../settlement/index.js";
import { isOpen, plain, readCreditorReference, type AttemptState } from "../core/index.js";
import { type MovementRow } from "../store/settlement-books.js";
import {
  findInvoicesByNames,
  findInvoicesBySequences,
  findPaymentsByIds,
  findTransfersOfInvoices,
  type NamedAttempt,
  type NamedDispute,
  type NamedInvoice,
  type NamedPayment,
  type NamedPayout,
  type NamedRefund,
} from "../store/settlement-targets.js";

/** Transfers that came in on a bank account: by our id, or by the invoices that they paid. */
export async function findTransfers(
  sql: Sql,
  { id }: SettlementAccount,
  references: readonly string[],
): Promise<NamedPayment[]> {
  const invoices = await findInvoices(sql, references);
  const paid = await findTransfersOfInvoices(
    sql,
    id,
    invoices.map((invoice) => invoice.id),
  );
  const byInvoice = invoices.flatMap(({ reference, id: invoice }) =>
    paid.filter((each) => each.reference === invoice).map((each) => ({ ...each, reference })),
  );
  return [...(await findPaymentsByIds(sql, id, references)), ...byInvoice];
}

/** Also by structured reference: its text is an invoice's number without punctuation. */
export async function findInvoices(sql: Sql, references: readonly string[]): Promise<NamedInvoice[]> {
  const found = await findInvoicesByNames(sql, references);
  const structured = references.flatMap((reference) => {
    const text = readCreditorReference(reference);
    const digits = text === undefined ? undefined : /\d{1,15}$/.exec(text)?.[0];
    return text === undefined || digits === undefined ? [] : [{ reference, text, sequence: BigInt(digits) }];
  });
  if (structured.length === 0) return found;
  const rows = await findInvoicesBySequences(
    sql,
    structured.map(({ sequence }) => sequence),
  );
  for (const { reference, text, sequence } of structured) {
    const row = rows.find((each) => each.reference === sequence.toString() && plain(each.number) === text);
    if (row !== undefined) found.push({ ...row, reference });
  }
  return found;
}

const money = (currency: Money["currency"], minor: string): Money => ({ currency, minor: BigInt(minor) });

export function paymentTarget(row: NamedPayment): Target {
  const { settled_currency: currency, settled, fee } = row;
  return {
    kind: "payment",
    id: row.id,
    root: row.source === "attempt" ? row.source_id : row.id,
    amount: money(row.currency, row.amount),
    at: instantOfMicros(row.at),
    settlement:
      currency === null || settled === null
        ? undefined
        : { gross: money(currency, settled), fee: BigInt(fee ?? "0") },
  };
}

export function attemptTarget(row: NamedAttempt): Target {
  const state = isOpen(row.state as AttemptState) ? "open" : "ended";
  return {
    kind: "attempt",
    id: row.id,
    root: row.id,
    state,
    amount: money(row.currency, row.amount),
    at: instantOfMicros(row.at),
  };
}

export function refundTarget(row: NamedRefund): Target {
  const state = row.state === "pending" ? "open" : row.state === "succeeded" ? "done" : "failed";
  return {
    kind: "refund",
    id: row.id,
    root: row.id,
    state,
    amount: money(row.currency, row.amount),
    at: instantOfMicros(row.at),
  };
}

export function disputeTarget(row: NamedDispute): Target {
  return {
    kind: "dispute",
    id: row.id,
    root: row.id,
    state: row.state === "won" || row.state === "lost" ? row.state : "open",
    amount: money(row.currency, row.amount),
    held: money(row.held_currency, row.held),
    fee: money(row.fee_currency, row.fee),
    at: instantOfMicros(row.at),
  };
}

export function payoutTarget(row: NamedPayout): Target {
  return {
    kind: "payout",
    id: row.id,
    root: row.id,
    account: row.account,
    state: row.state === "failed" || row.state === "canceled" ? "returned" : "sent",
    received: row.received,
    amount: money(row.currency, row.amount),
    at: instantOfMicros(row.at),
  };
}

export function invoiceTarget(row: NamedInvoice): Target {
  return {
    kind: "invoice",
    id: row.id,
    root: row.id,
    customer: row.customer,
    customerName: row.customer_name,
    amount: money(row.currency, row.open),
    at: instantOfMicros(row.at),
  };
}

export function movementOf(kind: OpenMovement["kind"], row: MovementRow): OpenMovement {
  const { id, root, account, currency, amount, at } = row;
  return { kind, id, root, account, amount: money(currency, amount), at: instantOfMicros(at) };
}
