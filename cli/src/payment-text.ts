import type {
  Dispute,
  InvoicePayment,
  Money,
  Payment,
  PaymentAttempt,
  PaymentDetails,
  PaymentMethod,
  Posting,
  Receivable,
  Refund,
} from "@weir/sdk";
import type { CliContext } from "./context.js";
import { moneyText } from "./money-text.js";
import { grouped, printFields, printTable } from "./print.js";
import { totalsOf } from "./totals.js";

/** "visa 4242", or what else is known of a method. */
export function methodText({ brand, last4, id }: Pick<PaymentMethod, "brand" | "last4" | "id">): string {
  const known = [brand, last4].filter((part) => part !== null).join(" ");
  return known === "" ? id : known;
}

/** What a table's amounts come to, in each currency; nothing for one row. */
export function printTotals(context: CliContext, name: string, amounts: readonly Money[]): void {
  if (amounts.length < 2) return;
  for (const total of totalsOf(amounts)) context.out.write(`${name} ${moneyText(total)}\n`);
}

export function printAttempts(context: CliContext, attempts: readonly PaymentAttempt[], empty: string): void {
  printTable(
    context,
    [
      "ATTEMPT",
      "NO",
      "FOR",
      "CUSTOMER",
      "STATE",
      "AMOUNT",
      "CURRENCY",
      "METHOD",
      "PROVIDER'S ID",
      "WHY",
      "MADE",
    ],
    attempts.map((attempt) => [
      attempt.id,
      String(attempt.number),
      attempt.invoiceId ?? attempt.topUpId ?? "",
      attempt.customer.key,
      attempt.parkedAt === null ? attempt.state : `${attempt.state}, parked`,
      grouped(attempt.amount.amount),
      attempt.amount.currency,
      `${methodText(attempt.method)} at ${attempt.account.key}`,
      attempt.providerRef ?? "",
      attempt.decline === null
        ? (attempt.actionUrl ?? "")
        : `${attempt.decline.code} (${attempt.decline.hardness})`,
      attempt.createdAt,
    ]),
    empty,
  );
}

export function printPayments(context: CliContext, payments: readonly Payment[], empty: string): void {
  printTable(
    context,
    ["PAYMENT", "CUSTOMER", "AMOUNT", "CURRENCY", "TO BALANCE", "INVOICES", "FROM", "REFERENCE", "RECEIVED"],
    payments.map((payment) => [
      payment.id,
      payment.customer.key,
      grouped(payment.amount.amount),
      payment.amount.currency,
      grouped(payment.toBalance.amount),
      String(payment.allocations.length),
      payment.account === null ? payment.source : `${payment.source} at ${payment.account.key}`,
      payment.providerRef ?? payment.sourceId,
      payment.receivedAt,
    ]),
    empty,
  );
  printTotals(
    context,
    "received",
    payments.map(({ amount }) => amount),
  );
}

export function printRefunds(context: CliContext, refunds: readonly Refund[], empty: string): void {
  printTable(
    context,
    ["REFUND", "PAYMENT", "STATE", "AMOUNT", "CURRENCY", "SOURCE", "PROVIDER'S ID", "WHY", "MADE"],
    refunds.map((refund) => [
      refund.id,
      refund.paymentId,
      refund.state,
      grouped(refund.amount.amount),
      refund.amount.currency,
      refund.source,
      refund.providerRef ?? "",
      refund.failure === null ? refund.reason : `${refund.reason}; ${refund.failure}`,
      refund.createdAt,
    ]),
    empty,
  );
  printTotals(
    context,
    "given back",
    refunds.filter(({ state }) => state !== "failed" && state !== "canceled").map(({ amount }) => amount),
  );
}

export function printDisputes(context: CliContext, disputes: readonly Dispute[], empty: string): void {
  printTable(
    context,
    ["DISPUTE", "PAYMENT", "STATE", "AMOUNT", "CURRENCY", "FEE", "REASON", "EVIDENCE UNTIL", "PROVIDER'S ID"],
    disputes.map((dispute) => [
      dispute.id,
      dispute.paymentId,
      dispute.state,
      grouped(dispute.amount.amount),
      dispute.amount.currency,
      moneyText(dispute.fee),
      dispute.reason,
      dispute.submittedAt === null ? (dispute.evidenceDueAt ?? "") : "sent",
      dispute.providerRef,
    ]),
    empty,
  );
  printTotals(
    context,
    "disputed",
    disputes.map(({ amount }) => amount),
  );
}

export function printReceivables(
  context: CliContext,
  receivables: readonly Receivable[],
  empty: string,
): void {
  printTable(
    context,
    [
      "INVOICE",
      "CUSTOMER",
      "STATE",
      "DUE",
      "PAID",
      "CREDITED",
      "WRITTEN OFF",
      "OPEN",
      "CURRENCY",
      "DUE AT",
      "DUNNING",
    ],
    receivables.map((receivable) => [
      receivable.invoice.number ?? receivable.invoiceId,
      receivable.customer.key,
      receivable.overdue ? "overdue" : receivable.state,
      grouped(receivable.due.amount),
      grouped(receivable.paid.amount),
      grouped(receivable.credited.amount),
      grouped(receivable.writtenOff.amount),
      grouped(receivable.open.amount),
      receivable.open.currency,
      receivable.dueAt,
      dunningText(receivable),
    ]),
    empty,
  );
  printTotals(
    context,
    "open",
    receivables.map(({ open }) => open),
  );
}

function dunningText({ dunning }: Receivable): string {
  const { state, retries, nextAttemptAt } = dunning;
  if (state === "none") return "";
  return `${state}, ${retries} retries${nextAttemptAt === null ? "" : `, next ${nextAttemptAt}`}`;
}

/** What was posted to the ledger, one transfer a line. */
export function printPostings(
  context: CliContext,
  postings: readonly { readonly of: string; readonly posting: Posting }[],
): void {
  printTable(
    context,
    ["POSTED", "REASON", "OF", "DEBIT", "CREDIT", "AMOUNT", "CURRENCY"],
    postings.flatMap(({ of, posting }) =>
      posting.transfers.map(({ debit, credit, amount }, index) => [
        index === 0 ? posting.postedAt : "",
        index === 0 ? posting.reason : "",
        index === 0 ? of : "",
        debit,
        credit,
        grouped(amount.amount),
        amount.currency,
      ]),
    ),
    "Nothing was posted.",
  );
}

/** What a payment, its refunds and its disputes posted. */
export function postingsOfPayment(
  payment: PaymentDetails,
): { readonly of: string; readonly posting: Posting }[] {
  return [payment, ...payment.refunds, ...payment.disputes].flatMap(({ id, postings }) =>
    postings.map((posting) => ({ of: id, posting })),
  );
}

/** How an invoice was paid: attempts, payments with the provider's own ids, refunds, disputes, and every posting. */
export function printHowPaid(context: CliContext, paid: InvoicePayment): void {
  const { receivable, attempts, payments, creditNotes } = paid;
  const heading = `Invoice ${paid.number ?? paid.id}`;
  if (receivable === null) context.out.write(`${heading}: nothing is due of it.\n`);
  else {
    context.out.write(`${heading}: ${receivable.overdue ? "overdue" : receivable.state}\n`);
    const sums: [string, Money][] = [
      ["due", receivable.due],
      ["credited", receivable.credited],
      ["paid", receivable.paid],
      ["written off", receivable.writtenOff],
      ["open", receivable.open],
    ];
    printFields(
      context,
      sums
        .filter(([name, { minor }]) => name === "due" || name === "open" || minor !== "0")
        .map(([name, money]) => [name, moneyText(money)]),
    );
  }
  if (attempts.length > 0) {
    context.out.write("\n");
    printAttempts(context, attempts, "");
  }
  for (const payment of payments) {
    context.out.write("\n");
    printPaymentFields(context, payment, paid.id);
  }
  const refunds = payments.flatMap((payment) => payment.refunds);
  if (refunds.length > 0) {
    context.out.write("\n");
    printRefunds(context, refunds, "");
  }
  const disputes = payments.flatMap((payment) => payment.disputes);
  if (disputes.length > 0) {
    context.out.write("\n");
    printDisputes(context, disputes, "");
  }
  context.out.write("\n");
  printPostings(context, [
    ...paid.postings.map((posting) => ({ of: paid.number ?? paid.id, posting })),
    ...creditNotes.flatMap(({ number, postings }) => postings.map((posting) => ({ of: number, posting }))),
    ...payments.flatMap(postingsOfPayment),
  ]);
}

/** @param invoice  whose part is told, when given */
export function printPaymentFields(context: CliContext, payment: PaymentDetails, invoice?: string): void {
  const { settlement } = payment;
  const part = payment.allocations.find(({ invoiceId }) => invoiceId === invoice);
  printFields(context, [
    ["payment", payment.id],
    ["amount", moneyText(payment.amount)],
    ["to this invoice", part === undefined ? null : moneyText(part.amount)],
    ...(invoice === undefined
      ? payment.allocations.map(
          ({ invoiceId, amount }) => ["to invoice", `${invoiceId}, ${moneyText(amount)}`] as const,
        )
      : []),
    ["to balance", payment.toBalance.minor === "0" ? null : moneyText(payment.toBalance)],
    ["to prepaid credit", payment.toppedUp.minor === "0" ? null : moneyText(payment.toppedUp)],
    ["customer", payment.customer.key],
    ["from", payment.account === null ? payment.source : `${payment.source} at ${payment.account.key}`],
    ["attempt", payment.attempt?.id],
    ["reference", payment.source === "attempt" ? null : payment.sourceId],
    ["provider's id", payment.providerRef],
    ["settled", settlement === null ? null : settlementText(settlement)],
    ["movement", settlement?.providerRef],
    ["note", payment.note],
    ["received", payment.receivedAt],
  ]);
}

function settlementText({ gross, fee, net, rate }: NonNullable<PaymentDetails["settlement"]>): string {
  const exchanged = rate === null ? "" : ` at ${rate}`;
  return `${moneyText(gross)}${exchanged}, less ${moneyText(fee)} fee: ${moneyText(net)}`;
}
