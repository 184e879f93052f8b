import { ApiError } from "../../simulators/stripe/index.js";
import type { Sql } from "../../src/engines/postgres/index.js";
import type { InvoiceId, PaymentId } from "../../src/kernel/ids.js";
import { Refusal, StoreUnavailable } from "../../src/kernel/problem.js";
import { describeStep, type Happening, type Step } from "./plan.js";
import { ProviderSaysNo } from "./simulated-provider.js";
import type { SimulatedOrganization } from "./simulated-organization.js";

/** What came of a step, for people. */
export type Outcome = { readonly step: Step; readonly came: string };

/** Lets a step happen. What was refused, or had nothing to happen to, came to nothing. @throws whatever nobody may see */
export async function happen(of: SimulatedOrganization, step: Step): Promise<Outcome> {
  try {
    return { step, came: await act(of, step) };
  } catch (error) {
    if (error instanceof Refusal) return { step, came: `refused: ${error.slug}` };
    if (error instanceof ApiError || error instanceof ProviderSaysNo)
      return { step, came: `the provider refused: ${error.message.slice(0, 200)}` };
    // The provider did not answer. A client would ask again; this one gives up.
    if (error instanceof StoreUnavailable) return { step, came: `no answer: ${error.message.slice(0, 200)}` };
    throw new Error(`${describeStep(step)}: ${String(error)}`, { cause: error });
  }
}

async function act(of: SimulatedOrganization, { number, what }: Step): Promise<string> {
  const { caller, organization, provider } = of;
  const { simulator } = provider;
  const key = `step ${number}`;
  switch (what.do) {
    case "attach": {
      const method = provider.methodOf(what.method);
      const attached = await of.ask(({ money }) =>
        money.payments.methods.attach(
          caller,
          { customer: `c${what.customer}`, account: of.account, method, makeDefault: true },
          key,
        ),
      );
      return attached.id;
    }
    case "detach": {
      const method = await of.first(
        (sql) => sql<{ id: string }[]>`
          SELECT id FROM payment_methods WHERE customer = ${of.customerOf(what.customer)} AND detached_at IS NULL ORDER BY id LIMIT 1`,
      );
      if (method === undefined) return nothing;
      await of.ask(({ money }) => money.payments.methods.detach(caller, method.id, key));
      return `${method.id} detached`;
    }
    case "pay": {
      const open = await openInvoice(of, what);
      if (open === undefined) return nothing;
      const amount = part(open.open, what.share);
      const attempt = await of.ask(({ money }) =>
        money.payments.charges.pay(caller, { invoice: open.invoice, amount }, key),
      );
      return `${attempt.id} of ${amount}`;
    }
    case "look_up":
    case "cancel_attempt": {
      const attempt = await of.first(
        (sql) => sql<{ id: string }[]>`
          SELECT id FROM payment_attempts WHERE customer = ${of.customerOf(what.customer)}
            AND state IN ('pending', 'processing', 'requires_action', 'unknown') ORDER BY id LIMIT 1`,
      );
      if (attempt === undefined) return nothing;
      const after = await of.ask(({ money }) =>
        what.do === "look_up"
          ? money.payments.charges.lookUp(caller, attempt.id)
          : money.payments.charges.cancel(caller, attempt.id, key),
      );
      return `${after.id} is ${after.state}`;
    }
    case "receive": {
      const open = await openInvoice(of, { ...what, which: 0 });
      if (open === undefined) return nothing;
      const received = await of.ask(({ money }) =>
        money.payments.charges.receive(
          caller,
          {
            customer: `c${what.customer}`,
            currency: open.currency,
            amount: part(open.open, what.share),
            reference: key,
          },
          key,
        ),
      );
      return received.id;
    }
    case "credit": {
      const invoice = await invoiceOf(of, what);
      if (invoice === undefined) return nothing;
      const lines = [{ line: invoice.line, minor: part(BigInt(invoice.amount), what.share) }];
      const note = await of.ask(({ money }) =>
        money.billing.creditNotes.issue(caller, { invoice: invoice.id, reason: "a gift", lines }, key),
      );
      return `${note.number}, ${note.toBalance} to balance`;
    }
    case "void": {
      const invoice = await invoiceOf(of, what);
      if (invoice === undefined) return nothing;
      const note = await of.ask(({ money }) =>
        money.billing.creditNotes.void(caller, { invoice: invoice.id, reason: "a mistake" }, key),
      );
      return note.number;
    }
    case "write_off": {
      const open = await openInvoice(of, what);
      if (open === undefined) return nothing;
      const after = await of.ask(({ money }) =>
        money.payments.receivables.writeOff(caller, { invoice: open.invoice, reason: "gone" }, key),
      );
      return after.state;
    }
    case "refund": {
      const payment = await paymentOf(of, what);
      if (payment === undefined) return nothing;
      const refund = await of.ask(({ money }) =>
        money.payments.refunds.create(
          caller,
          {
            payment: payment.id,
            source: what.source,
            amount: part(BigInt(payment.amount), what.share),
            reason: "as asked",
          },
          key,
        ),
      );
      return `${refund.id} of ${refund.amount}`;
    }
    case "pause":
      await of.ask(({ money }) =>
        money.payments.dunning.pause(caller, { customer: `c${what.customer}`, reason: "wait" }, key),
      );
      return "paused";
    case "resume":
      await of.ask(({ money }) =>
        money.payments.dunning.resume(caller, { customer: `c${what.customer}` }, key),
      );
      return "resumed";
    case "evidence":
    case "accept_dispute": {
      const dispute = await of.pick(
        what.which,
        (sql) => sql<{ id: string }[]>`SELECT id FROM disputes ORDER BY id LIMIT 100`,
      );
      if (dispute === undefined) return nothing;
      const after = await of.ask(({ money }) =>
        what.do === "accept_dispute"
          ? money.payments.disputes.accept(caller, dispute.id, key)
          : money.payments.disputes.submitEvidence(
              caller,
              { dispute: dispute.id, evidence: { uncategorized_text: what.text }, submit: true },
              key,
            ),
      );
      return `${after.id} is ${after.state}`;
    }
    case "backfill":
      return `${await of.ask(({ money }) => money.payments.inbox.backfill(organization, of.account))} new events`;
    case "replay_event": {
      const event = await of.pick(
        what.which,
        (sql) => sql<{ event: string }[]>`SELECT event FROM webhook_inbox ORDER BY event LIMIT 100`,
      );
      if (event === undefined) return nothing;
      await of.ask(({ money }) =>
        money.payments.inbox.replay(caller, { account: of.account, event: event.event }, key),
      );
      return event.event;
    }
    case "refund_at_provider": {
      const payment = await paymentOf(of, what);
      if (payment?.ref == null) return nothing;
      const amount = part(BigInt(payment.amount), what.share);
      const { id } = await provider.ask<{ id: string }>("POST", "/v1/refunds", {
        payment_intent: payment.ref,
        amount: amount.toString(),
      });
      return id;
    }
    case "dispute": {
      const charge = await chargeOf(of, what);
      if (charge === undefined) return nothing;
      const amount = Math.max(1, Math.floor(charge.captured * what.share));
      return simulator.dispute(charge.charge, { amount, isInquiry: what.isInquiry });
    }
    case "decide_dispute":
    case "escalate_dispute": {
      const dispute = chosen(await provider.all<{ id: string }>("/v1/disputes"), what.which);
      if (dispute === undefined) return nothing;
      if (what.do === "escalate_dispute") simulator.escalateDispute(dispute.id);
      else simulator.decideDispute(dispute.id, what.outcome);
      return dispute.id;
    }
    case "authenticate":
    case "finish_processing": {
      const status = what.do === "authenticate" ? "requires_action" : "processing";
      const intents = await provider.all<{ id: string; status: string }>("/v1/payment_intents");
      const intent = chosen(
        intents.filter((one) => one.status === status),
        what.which,
      );
      if (intent === undefined) return nothing;
      if (what.do === "authenticate") simulator.authenticate(intent.id, what.outcome);
      else simulator.finishProcessing(intent.id, what.outcome);
      return intent.id;
    }
    case "fail_refund": {
      const refund = chosen(await provider.all<{ id: string }>("/v1/refunds"), what.which);
      if (refund === undefined) return nothing;
      simulator.failRefund(refund.id);
      return refund.id;
    }
    case "pay_out":
      return simulator.payOut(what.currency, what.difference) ?? nothing;
    case "fail_payout": {
      const payout = chosen(await provider.all<{ id: string }>("/v1/payouts"), what.which);
      if (payout === undefined) return nothing;
      simulator.failPayout(payout.id);
      return payout.id;
    }
    case "exchange_rate":
      simulator.setExchangeRate(what.from, what.to, what.rate);
      return what.rate;
    case "fault": {
      const customer = what.customer === undefined ? undefined : of.refOf(what.customer);
      if (what.customer !== undefined && customer === undefined) return nothing;
      const id = simulator.faults.add({ ...what.fault, ...(customer === undefined ? {} : { customer }) });
      if (what.untilTheEnd) of.keptFaults.add(id);
      return id;
    }
    case "late":
      provider.addLate(what.times, what.after_h);
      return "some will be late";
  }
}

const nothing = "nothing to do";

/** A part of an amount, at least one minor unit; more than all for shares above 1. */
function part(amount: bigint, share: number): bigint {
  const minor = (amount * BigInt(Math.round(share * 1_000))) / 1_000n;
  return minor > 0n ? minor : 1n;
}

function chosen<T>(all: readonly T[], which: number): T | undefined {
  return all[Math.floor(which * all.length)];
}

type OfCustomer = Extract<Happening, { customer: number; which: number }>;

async function openInvoice(
  of: SimulatedOrganization,
  { customer, which }: Pick<OfCustomer, "customer" | "which">,
): Promise<{ invoice: InvoiceId; currency: string; open: bigint } | undefined> {
  const found = await of.pick(
    which,
    (sql) => sql<{ invoice: InvoiceId; currency: string; open: string }[]>`
      SELECT invoice, currency, (due_minor - credited_minor - paid_minor - written_off_minor)::text AS open
      FROM receivables WHERE customer = ${of.customerOf(customer)} AND state = 'open' ORDER BY invoice`,
  );
  return found && { ...found, open: BigInt(found.open) };
}

function invoiceOf(of: SimulatedOrganization, { customer, which }: Pick<OfCustomer, "customer" | "which">) {
  return of.pick(
    which,
    (sql) => sql<{ id: InvoiceId; line: string; amount: string }[]>`
      SELECT i.id, l.id AS line, l.taxable_minor::text AS amount FROM invoices i
      JOIN invoice_lines l ON l.organization = i.organization AND l.invoice = i.id
      WHERE i.customer = ${of.customerOf(customer)} AND i.status = 'finalized' ORDER BY i.id, l.id`,
  );
}

function paymentOf(of: SimulatedOrganization, { customer, which }: Pick<OfCustomer, "customer" | "which">) {
  return of.pick(
    which,
    (sql) => sql<{ id: PaymentId; ref: string | null; amount: string }[]>`
      SELECT id, ref, amount_minor::text AS amount FROM payments WHERE customer = ${of.customerOf(customer)} ORDER BY id`,
  );
}

/** A charge of a customer's by the provider's own books, whether Weir knows of it or not. */
async function chargeOf(
  of: SimulatedOrganization,
  { customer, which }: Pick<OfCustomer, "customer" | "which">,
) {
  const ref = of.refOf(customer);
  const charges = await of.provider.all<{ id: string; customer: string }>("/v1/charges");
  const theirs = charges.filter((one) => one.customer === ref);
  const found = chosen(
    theirs.flatMap(({ id }) => of.provider.simulator.ledger.charge(id) ?? []),
    which,
  );
  return found === undefined || found.captured === 0 ? undefined : found;
}

export type Query<T> = (sql: Sql) => PromiseLike<readonly T[]>;
