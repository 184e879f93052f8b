import type { Sql } from "../../src/engines/postgres/index.js";
import type { SimulatedOrganization } from "./simulated-organization.js";

/*
 * What holds when everything is at rest, whatever went wrong before: docs/spec/conservation.md numbers these laws. Weir's state is
 * read from its tables by SQL of the test's own; the provider's from the simulator's own books.
 */

export interface Intent {
  readonly id: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: string;
  readonly customer: string | null;
  readonly latest_charge: string | null;
  readonly last_payment_error: object | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Everything that is compared. Amounts in minor units. */
export interface Books {
  readonly attempts: readonly {
    id: string;
    target: string;
    customer: string;
    state: string;
    ref: string | null;
    amount: string;
    parked: boolean;
  }[];
  readonly payments: readonly {
    id: string;
    source: string;
    source_id: string;
    ref: string | null;
    currency: string;
    amount: string;
    excess: string;
    refunded: string;
    allocated: string;
    settled: boolean;
  }[];
  readonly receivables: readonly {
    invoice: string;
    customer: string;
    currency: string;
    state: string;
    due: string;
    credited: string;
    paid: string;
    written_off: string;
    invoice_due: string;
    allocated: string;
    reopened: string;
    /** Once, also where the money came back. */
    owed_again: string;
    noted: string;
    voided: boolean;
  }[];
  readonly refunds: readonly {
    id: string;
    payment: string;
    payment_ref: string | null;
    state: string;
    ref: string | null;
    amount: string;
    parked: boolean;
  }[];
  readonly disputes: readonly {
    id: string;
    ref: string;
    payment_ref: string;
    state: string;
    amount: string;
    held: string;
    held_currency: string;
  }[];
  readonly payouts: readonly { id: string; ref: string; state: string; amount: string; currency: string }[];
  /** Debits less credits, of the transfers themselves. */
  readonly balances: readonly { code: string; currency: string; balance: string }[];
  readonly messages: readonly { type: string; key: string }[];
  readonly inbox: readonly { event: string; state: string; note: string | null }[];
  readonly runs: readonly { id: string; state: string; error: string | null }[];
}

/** Everything that does not hold, a line each; none when the books are right. */
export async function violations(of: SimulatedOrganization): Promise<string[]> {
  const books = await readBooks(of);
  const intents = await of.provider.all<Intent>("/v1/payment_intents");
  return [
    ...captures(of, books, intents),
    ...refundsAndDisputes(of, books, intents),
    ...(await payoutsOf(of, books)),
    ...unknowns(of, books, intents),
    ...receivables(books),
    ...(await ledger(of, books)),
    ...told(books),
    ...atRest(of, books),
  ];
}

/** 1, 3: what was captured is a payment each, and never more than its invoice is about. */
function captures(of: SimulatedOrganization, books: Books, intents: readonly Intent[]): string[] {
  const found: string[] = [];
  const byRef = new Map(books.payments.flatMap((one) => (one.ref === null ? [] : [[one.ref, one] as const])));
  const capturedOf = new Map<string, bigint>();
  const taken = new Set(
    intents
      .filter((intent) => (chargeOf(of, intent)?.captured ?? 0) > 0)
      .map(({ metadata }) => metadata["weir_attempt"]),
  );
  for (const intent of intents) {
    const captured = BigInt(chargeOf(of, intent)?.captured ?? 0);
    const target = intent.metadata["weir_target"];
    if (target !== undefined) capturedOf.set(target, (capturedOf.get(target) ?? 0n) + captured);
    const attempt = books.attempts.find(({ id }) => id === intent.metadata["weir_attempt"]);
    const payment = byRef.get(intent.id);
    if (attempt?.state === "unknown") continue;
    if (captured === 0n) {
      if (payment !== undefined)
        found.push(`payment ${payment.id} stands for ${intent.id}, which took nothing`);
      // A creation that came late, after the provider had forgotten its key, is one more intent, and takes nothing.
      if (attempt?.state === "succeeded" && !taken.has(attempt.id))
        found.push(`attempt ${attempt.id} succeeded, and ${intent.id} took nothing`);
      continue;
    }
    if (attempt === undefined) found.push(`${intent.id} took ${captured} for no attempt`);
    else if (attempt.state !== "succeeded")
      found.push(`${intent.id} took ${captured}, and attempt ${attempt.id} is ${attempt.state}`);
    if (payment === undefined) found.push(`${intent.id} took ${captured}, and there is no payment of it`);
    else {
      const said = `${payment.amount} ${payment.currency}`;
      const took = `${captured} ${intent.currency.toUpperCase()}`;
      if (said !== took) found.push(`payment ${payment.id} is of ${said}, and ${intent.id} took ${took}`);
      if (!payment.settled) found.push(`of payment ${payment.id} it is not known what the provider settled`);
      byRef.delete(intent.id);
    }
  }
  for (const payment of byRef.values())
    if (!intents.some(({ id }) => id === payment.ref))
      found.push(`payment ${payment.id} names ${payment.ref}, which the provider does not know`);
  for (const { invoice, due, owed_again: again } of books.receivables) {
    const net = (capturedOf.get(invoice) ?? 0n) - BigInt(again);
    if (net > BigInt(due)) found.push(`invoice ${invoice} is of ${due}, and ${net} were captured for it`);
  }
  return found;
}

/** 3: what was given back and what was disputed, of each charge. */
function refundsAndDisputes(of: SimulatedOrganization, books: Books, intents: readonly Intent[]): string[] {
  const found: string[] = [];
  const refunded = new Map<string, bigint>();
  for (const { payment_ref: ref, state, amount } of books.refunds)
    if (ref !== null && state !== "failed" && state !== "canceled")
      refunded.set(ref, (refunded.get(ref) ?? 0n) + BigInt(amount));
  const disputed = new Map<string, bigint>();
  for (const { payment_ref: ref, state, amount } of books.disputes)
    if (state === "needs_response" || state === "under_review" || state === "lost")
      disputed.set(ref, (disputed.get(ref) ?? 0n) + BigInt(amount));
  for (const intent of intents) {
    const charge = chargeOf(of, intent);
    if (charge === undefined) continue;
    if (isUnknown(books, intent)) continue;
    compare(found, `refunded of ${intent.id}`, refunded.get(intent.id) ?? 0n, BigInt(charge.refunded));
    compare(found, `disputed of ${intent.id}`, disputed.get(intent.id) ?? 0n, BigInt(charge.disputed));
  }
  for (const { id, amount, refunded: kept } of books.payments) {
    const sum = books.refunds
      .filter(({ payment, state }) => payment === id && state !== "failed" && state !== "canceled")
      .reduce((all, one) => all + BigInt(one.amount), 0n);
    compare(found, `kept as refunded of ${id}`, BigInt(kept), sum);
    if (sum > BigInt(amount)) found.push(`of ${id}, of ${amount}, ${sum} were given back`);
  }
  return found;
}

/** 3: payouts. */
async function payoutsOf(of: SimulatedOrganization, books: Books): Promise<string[]> {
  const found: string[] = [];
  const theirs = await of.provider.all<{ id: string; status: string; amount: number; currency: string }>(
    "/v1/payouts",
  );
  for (const { id, status, amount, currency } of theirs) {
    const ours = books.payouts.find(({ ref }) => ref === id);
    if (ours === undefined) found.push(`payout ${id} of ${amount} ${currency} is not known`);
    else
      compare(
        found,
        `payout ${id}`,
        `${ours.state} ${ours.amount} ${ours.currency}`,
        `${status} ${amount} ${currency.toUpperCase()}`,
      );
  }
  for (const { ref } of books.payouts)
    if (!theirs.some(({ id }) => id === ref)) found.push(`payout ${ref} is not the provider's`);
  return found;
}

/** 4: nothing is unknown but what the provider was silent about to the end; open attempts are open at the provider. */
function unknowns(of: SimulatedOrganization, books: Books, intents: readonly Intent[]): string[] {
  const found: string[] = [];
  const silent = of.silentCustomers();
  for (const { id, state, parked, customer, ref } of books.attempts) {
    if (state === "pending") found.push(`attempt ${id} is pending, and nobody sends it`);
    if (state === "unknown") {
      if (!silent.has(customer))
        found.push(`it is not known what became of attempt ${id}, and the provider would say`);
      else if (!parked) found.push(`attempt ${id} is unknown for longer than a day, and no person is told`);
    } else if (parked) found.push(`attempt ${id} is ${state}, and parked`);
    if (state === "processing" || state === "requires_action") {
      const intent = intents.find((one) => one.id === ref);
      compare(found, `open attempt ${id}`, state, intent?.status ?? "not there");
    }
  }
  for (const { id, state, ref, parked, payment } of books.refunds) {
    const attempt = books.attempts.find(
      (one) => one.id === books.payments.find((paid) => paid.id === payment)?.source_id,
    );
    if (state !== "pending" || ref !== null) continue;
    if (attempt === undefined || !silent.has(attempt.customer))
      found.push(`it is not known what became of refund ${id}, and the provider would say`);
    else if (!parked) found.push(`refund ${id} is unknown for longer than a day, and no person is told`);
  }
  return found;
}

/** 5: every receivable's sums are those of its payments, refunds and credit notes. */
function receivables(books: Books): string[] {
  const found: string[] = [];
  for (const one of books.receivables) {
    const name = `receivable ${one.invoice}`;
    compare(found, `${name}: due`, one.due, one.invoice_due);
    compare(found, `${name}: paid`, BigInt(one.paid), BigInt(one.allocated) - BigInt(one.reopened));
    compare(found, `${name}: credited`, one.credited, one.noted);
    compare(found, `${name}: void`, one.state === "void", one.voided);
    const open = BigInt(one.due) - BigInt(one.credited) - BigInt(one.paid) - BigInt(one.written_off);
    if (one.voided) continue;
    if (open < 0n) found.push(`${name}: ${-open} more than is due`);
    const state = open > 0n ? "open" : BigInt(one.written_off) > 0n ? "uncollectible" : "paid";
    compare(found, `${name}: state`, one.state, state);
  }
  for (const { id, amount, allocated, excess } of books.payments)
    compare(found, `payment ${id}`, BigInt(amount), BigInt(allocated) + BigInt(excess));
  return found;
}

/** 2, 3: the ledger balances, and its accounts hold what the tables and the provider's balance say. */
async function ledger(of: SimulatedOrganization, books: Books): Promise<string[]> {
  const found: string[] = [];
  const trial = await of.ask(({ money }) => money.ledger.trialBalance(of.organization));
  if (!trial.balanced) found.push("debits are not credits");
  for (const difference of trial.differences)
    found.push(`a kept balance is not what its transfers come to: ${show(difference)}`);
  const balances = new Map(
    books.balances.map(({ code, currency, balance }) => [`${code} ${currency}`, BigInt(balance)]),
  );
  const expected = new Map<string, bigint>();
  const add = (code: string, currency: string, amount: bigint) =>
    expected.set(`${code} ${currency}`, (expected.get(`${code} ${currency}`) ?? 0n) + amount);
  for (const { customer, currency, voided, due, credited, paid, written_off: lost } of books.receivables)
    if (!voided)
      add(`receivable:${customer}`, currency, BigInt(due) - BigInt(credited) - BigInt(paid) - BigInt(lost));
  for (const { state, held, held_currency: currency } of books.disputes)
    if (state === "needs_response" || state === "under_review")
      add(`disputes:${of.account}`, currency, BigInt(held));
  for (const { state, amount, currency } of books.payouts)
    if (state !== "failed" && state !== "canceled")
      add(`payouts_in_transit:${of.account}`, currency, BigInt(amount));
  // What the provider took and nobody here knows of yet: only where it is silent to the end.
  if (!books.attempts.some(({ state }) => state === "unknown") && !books.refunds.some(isUnknownRefund))
    for (const { currency, available, pending } of of.provider.simulator.ledger.balances())
      add(`provider_clearing:${of.account}`, currency.toUpperCase(), BigInt(available + pending));
  else for (const code of balances.keys()) if (code.startsWith("provider_clearing:")) balances.delete(code);
  const compared = /^(receivable|disputes|payouts_in_transit|provider_clearing):/;
  for (const code of new Set([...balances.keys(), ...expected.keys()]))
    if (compared.test(code)) compare(found, code, balances.get(code) ?? 0n, expected.get(code) ?? 0n);
  for (const [code, balance] of balances)
    if (code.startsWith("customer_balance:") && balance > 0n) found.push(`${code} is owed ${-balance}`);
  return found;
}

/** 6: each outcome is told once. */
function told({ messages, payments, attempts, refunds, disputes }: Books): string[] {
  const found: string[] = [];
  const wanted = new Set([
    ...payments.map(({ id }) => `payment.succeeded payment.succeeded:${id}`),
    ...attempts
      .filter(({ state }) => state === "failed" || state === "canceled")
      .map(({ id }) => `payment.failed payment.failed:${id}`),
    ...refunds
      .filter(({ state, ref }) => state === "failed" || (state === "succeeded" && ref !== null))
      .map(({ id, state }) => `refund.${state} refund.${state}:${id}`),
  ]);
  const seen = new Set<string>();
  for (const { type, key } of messages) {
    const name = `${type} ${key}`;
    if (seen.has(name)) found.push(`told twice: ${name}`);
    seen.add(name);
  }
  for (const name of wanted) if (!seen.has(name)) found.push(`not told: ${name}`);
  for (const name of seen)
    if (/^(payment\.succeeded|refund\.failed) /.test(name) && !wanted.has(name))
      found.push(`told, and is not so: ${name}`);
  for (const { id, state } of disputes) {
    const opened = [...seen].filter((name) => name.startsWith(`dispute.opened dispute.opened:${id}:`)).length;
    if (opened !== 1) found.push(`dispute ${id}, ${state}, was told as opened ${opened} times`);
  }
  return found;
}

/** 7: nothing is left to do, and nothing failed. */
function atRest(of: SimulatedOrganization, { inbox, runs }: Books): string[] {
  return [
    // Of whom the provider is silent about, it is silent about events too.
    ...(of.keptFaults.size > 0 ? [] : inbox)
      .filter(({ state }) => state === "pending")
      .map(({ event }) => `event ${event} was not acted on`),
    ...runs.map(
      ({ id, state, error }) => `run ${id} is ${state}${error === null ? "" : `: ${error.slice(0, 300)}`}`,
    ),
  ];
}

function isUnknown(books: Books, { metadata }: Intent): boolean {
  const attempt = books.attempts.find(({ id }) => id === metadata["weir_attempt"]);
  if (attempt === undefined) return false;
  if (attempt.state === "unknown") return true;
  const payment = books.payments.find((one) => one.source_id === attempt.id);
  return books.refunds.some((one) => one.payment === payment?.id && isUnknownRefund(one));
}

function isUnknownRefund({ state, ref, payment_ref: payment }: Books["refunds"][number]): boolean {
  return state === "pending" && ref === null && payment !== null;
}

function chargeOf(of: SimulatedOrganization, { latest_charge: charge }: Intent) {
  return charge === null ? undefined : of.provider.simulator.ledger.charge(charge);
}

function compare<T>(found: string[], what: string, ours: T, theirs: T): void {
  if (ours !== theirs) found.push(`${what}: ${String(ours)} here, ${String(theirs)} there`);
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? item.toString() : item));
}

async function readBooks(of: SimulatedOrganization): Promise<Books> {
  const runs = await of.unendedRuns();
  return of.inDatabase(async (sql) => ({ ...(await readTables(sql)), runs }));
}

async function readTables(sql: Sql): Promise<Omit<Books, "runs">> {
  return {
    attempts: await sql<Books["attempts"][number][]>`
      SELECT id, target, customer, state, ref, amount_minor::text AS amount, parked_at IS NOT NULL AS parked
      FROM payment_attempts ORDER BY id`,
    payments: await sql<Books["payments"][number][]>`
      SELECT p.id, p.source, p.source_id, p.ref, p.currency, p.amount_minor::text AS amount, p.excess_minor::text AS excess,
             r.refunded_minor::text AS refunded, s.payment IS NOT NULL AS settled,
             (SELECT coalesce(sum(a.amount_minor), 0)::text FROM payment_allocations a
              WHERE a.organization = p.organization AND a.payment = p.id) AS allocated
      FROM payments p
      JOIN payment_refunded r ON r.organization = p.organization AND r.payment = p.id
      LEFT JOIN payment_settlements s ON s.organization = p.organization AND s.payment = p.id
      ORDER BY p.id`,
    receivables: await sql<Books["receivables"][number][]>`
      SELECT r.invoice, r.customer, r.currency, r.state, r.due_minor::text AS due, r.credited_minor::text AS credited,
             r.paid_minor::text AS paid, r.written_off_minor::text AS written_off, i.due_minor::text AS invoice_due,
             i.status = 'voided' AS voided,
             (SELECT coalesce(sum(a.amount_minor), 0)::text FROM payment_allocations a
              WHERE a.organization = r.organization AND a.invoice = r.invoice) AS allocated,
             (SELECT coalesce(sum(CASE f.state WHEN 'failed' THEN f.to_balance_minor WHEN 'canceled' THEN 0 ELSE f.amount_minor END), 0)::text
              FROM refunds f WHERE f.organization = r.organization AND f.invoice = r.invoice) AS reopened,
             (SELECT coalesce(sum(f.amount_minor), 0)::text FROM refunds f
              WHERE f.organization = r.organization AND f.invoice = r.invoice AND f.state <> 'canceled') AS owed_again,
             (SELECT coalesce(sum(n.net_minor + n.tax_minor - n.to_balance_minor), 0)::text FROM credit_notes n
              WHERE n.organization = r.organization AND n.invoice = r.invoice AND NOT n.voids) AS noted
      FROM receivables r JOIN invoices i ON i.organization = r.organization AND i.id = r.invoice
      ORDER BY r.invoice`,
    refunds: await sql<Books["refunds"][number][]>`
      SELECT f.id, f.payment, p.ref AS payment_ref, f.state, f.ref, f.amount_minor::text AS amount, f.parked_at IS NOT NULL AS parked
      FROM refunds f JOIN payments p ON p.organization = f.organization AND p.id = f.payment ORDER BY f.id`,
    disputes: await sql<Books["disputes"][number][]>`
      SELECT d.id, d.ref, p.ref AS payment_ref, d.state, d.amount_minor::text AS amount, d.held_minor::text AS held, d.held_currency
      FROM disputes d JOIN payments p ON p.organization = d.organization AND p.id = d.payment ORDER BY d.id`,
    payouts: await sql<Books["payouts"][number][]>`
      SELECT id, ref, state, amount_minor::text AS amount, currency FROM payouts ORDER BY id`,
    balances: await sql<Books["balances"][number][]>`
      SELECT code, currency, sum(amount)::text AS balance FROM (
        SELECT debit AS code, currency, amount_minor AS amount FROM ledger_transfers
        UNION ALL SELECT credit, currency, -amount_minor FROM ledger_transfers) moved
      GROUP BY code, currency`,
    messages: await sql<Books["messages"][number][]>`SELECT type, key FROM webhook_messages ORDER BY id`,
    inbox: await sql<
      Books["inbox"][number][]
    >`SELECT event, state, note FROM webhook_inbox WHERE state <> 'processed'`,
  };
}
