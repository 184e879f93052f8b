import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import type { InvoiceId, OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { formatMoney } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { checkReason } from "../kernel/reason.js";
import type { Ledger } from "../ledger/index.js";
import type { Wakes } from "../time/index.js";
import {
  allocate,
  freedPosting,
  openAmount,
  receivableState,
  recoveryPosting,
  writeOffPosting,
} from "./core/index.js";
import { charge_kind, dunning_end_kind } from "./kinds.js";
import type { BillingPort, NoticesPort } from "./ports.js";
import { findOpenAttempt } from "./store/attempts.js";
import { findPauses } from "./store/dunning-settings.js";
import { findDefaultMethods } from "./store/payment-methods.js";
import {
  findReceivable,
  insertReceivables,
  listReceivables,
  lockReceivables,
  updateReceivable,
  type NewReceivable,
  type Receivable,
  type ReceivablePage,
} from "./store/receivables.js";

export interface ReceivablesDependencies {
  readonly postgres: Postgres;
  readonly ledger: Ledger;
  readonly billing: BillingPort;
  readonly wakes: Pick<Wakes, "wakeAll" | "cancelWake">;
  readonly notices: NoticesPort;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

/** What is owed of finalized invoices. Whoever moves money on an invoice locks its receivable first. */
export class Receivables {
  readonly #on: ReceivablesDependencies;

  constructor(dependencies: ReceivablesDependencies) {
    this.#on = dependencies;
  }

  /**
   * In the transaction that finalizes invoices: what is due of each is open from now on, and is charged at once to customers
   * who have a default method. A handful of statements, however many there are.
   */
  async invoicesFinalized(
    sql: Sql,
    organization: OrganizationId,
    invoices: readonly NewReceivable[],
  ): Promise<void> {
    const owed = invoices.filter(({ due }) => due > 0n);
    if (owed.length === 0) return;
    await insertReceivables(sql, organization, owed);
    const customers = owed.map(({ customer }) => customer);
    const methods = await findDefaultMethods(sql, customers);
    if (methods.size === 0) return;
    const paused = await findPauses(sql, [...methods.keys()]);
    const now = this.#on.clocks.of(organization).now();
    const charged = owed.filter(({ customer }) => methods.has(customer) && !paused.has(customer));
    await this.#on.wakes.wakeAll(
      sql,
      organization,
      charge_kind,
      charged.map(({ invoice }) => ({ key: invoice, at: now, payload: { number: 1 } })),
    );
  }

  /**
   * Takes a credit note off what is owed, in its transaction.
   * @returns what of the amount was owed; the rest is the customer's
   * @throws Refusal 409 while an attempt may still take more than would be owed then
   */
  async creditNoted(
    sql: Sql,
    organization: OrganizationId,
    invoice: InvoiceId,
    amount: bigint,
  ): Promise<bigint> {
    const [receivable] = await lockReceivables(sql, [invoice]);
    if (receivable === undefined) return 0n;
    const open = openAmount(receivable);
    const taken = amount < open ? amount : open;
    if (taken === 0n) return 0n;
    const attempt = await findOpenAttempt(sql, invoice);
    if (attempt !== undefined && attempt.amount > open - taken) throw inFlight(invoice, attempt.id);
    await this.#settle(sql, organization, { ...receivable, credited: receivable.credited + taken });
    return taken;
  }

  /**
   * Nothing is owed of a voided invoice any more, in the voiding transaction; what was paid towards it becomes the
   * customer's balance.
   * @throws Refusal 409 while an attempt may still take money, or when parts were written off
   */
  async invoiceVoided(sql: Sql, organization: OrganizationId, invoice: InvoiceId): Promise<void> {
    const [receivable] = await lockReceivables(sql, [invoice]);
    if (receivable === undefined || receivable.state === "void") return;
    const attempt = await findOpenAttempt(sql, invoice);
    if (attempt !== undefined) throw inFlight(invoice, attempt.id);
    if (receivable.writtenOff > 0n) throw writtenOff(invoice);
    const { customer, currency, paid } = receivable;
    const posting = freedPosting(invoice, customer, { currency, minor: paid });
    if (posting !== undefined) await this.#on.ledger.post(sql, organization, [posting]);
    await this.#stopCollecting(sql, receivable);
    await updateReceivable(sql, {
      ...receivable,
      state: "void",
      dunning: { ...receivable.dunning, state: "ended", nextAttemptAt: undefined },
      settledAt: this.#on.clocks.of(organization).now(),
    });
  }

  /**
   * Gives up what is owed: it becomes bad debt. Money that comes later is taken all the same.
   * @throws Refusal 400, 404; 409 when nothing is owed, or while an attempt may still take money
   */
  async writeOff(
    caller: Caller,
    input: { readonly invoice: string; readonly reason: string },
    idempotencyKey?: string,
  ): Promise<Receivable> {
    const { organization } = caller;
    checkReason(input.reason, "invalid-write-off");
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const { id } = await this.#on.billing.invoice(sql, input.invoice);
      const request = { organization, idempotencyKey, action: "invoice.write_off", input };
      await runOnce(sql, request, async () => {
        const [receivable] = await lockReceivables(sql, [id]);
        if (receivable === undefined || openAmount(receivable) === 0n) throw nothingOwed(input.invoice);
        const attempt = await findOpenAttempt(sql, id);
        if (attempt !== undefined) throw inFlight(id, attempt.id);
        const amount = await this.writeOffOpen(sql, organization, receivable);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "invoice.write_off",
          target: id,
          before: { open: formatMoney({ currency: receivable.currency, minor: openAmount(receivable) }) },
          after: {
            writtenOff: formatMoney({ currency: receivable.currency, minor: amount }),
            reason: input.reason,
          },
          at: this.#on.clock.now(),
        });
        return id;
      });
      return mustFind(sql, id);
    });
  }

  /** What is open of a receivable that is locked becomes bad debt. @returns how much */
  async writeOffOpen(sql: Sql, organization: OrganizationId, receivable: Receivable): Promise<bigint> {
    const minor = openAmount(receivable);
    const { invoice, customer, currency } = receivable;
    const all = receivable.writtenOff + minor;
    await this.#on.ledger.post(sql, organization, [
      writeOffPosting(invoice, customer, { currency, minor }, all.toString()),
    ]);
    await this.#settle(sql, organization, { ...receivable, writtenOff: all });
    return minor;
  }

  /** Writes sums that changed, and what follows when nothing is open any more. */
  async #settle(sql: Sql, organization: OrganizationId, receivable: Receivable): Promise<void> {
    const state = receivable.state === "void" ? "void" : receivableState(receivable);
    if (state === "open") return updateReceivable(sql, { ...receivable, state });
    const at = this.#on.clocks.of(organization).now();
    await Promise.all([
      this.#stopCollecting(sql, receivable),
      updateReceivable(sql, {
        ...receivable,
        state,
        dunning: {
          ...receivable.dunning,
          state: receivable.dunning.since === undefined ? "none" : "ended",
          nextAttemptAt: undefined,
        },
        settledAt: at,
      }),
      state === "paid" &&
        receivable.state !== "paid" &&
        this.#publish(sql, organization, "invoice.paid", receivable),
      state === "uncollectible" &&
        this.#publish(sql, organization, "invoice.marked_uncollectible", receivable),
    ]);
  }

  /** What came in towards a receivable that is locked: as much as was open of it. */
  async paid(sql: Sql, organization: OrganizationId, receivable: Receivable, amount: bigint): Promise<void> {
    await this.#settle(sql, organization, { ...receivable, paid: receivable.paid + amount });
  }

  /** What was written off and is paid after all is bad debt no more. @param cause  what paid it, of which this is once */
  async recovered(
    sql: Sql,
    organization: OrganizationId,
    receivable: Receivable,
    amount: bigint,
    cause: string,
  ): Promise<Receivable> {
    const open = allocate(receivable, amount).applied;
    const back = amount - open;
    if (back === 0n) return receivable;
    const { invoice, customer, currency } = receivable;
    await this.#on.ledger.post(sql, organization, [
      recoveryPosting(invoice, customer, { currency, minor: back }, cause),
    ]);
    return { ...receivable, writtenOff: receivable.writtenOff - back };
  }

  /**
   * Money that had gone back, and did not arrive: a receivable that is locked takes as much as it still needs.
   * @returns what it does not need any more: it was paid otherwise meanwhile, credited, or is void
   */
  async paidAgain(
    sql: Sql,
    organization: OrganizationId,
    receivable: Receivable,
    amount: bigint,
    cause: string,
  ): Promise<bigint> {
    if (receivable.state === "void") return amount;
    const { applied, excess } = allocate({ ...receivable, writtenOff: 0n }, amount);
    if (applied > 0n) {
      const after = await this.recovered(sql, organization, receivable, applied, cause);
      await this.paid(sql, organization, after, applied);
    }
    return excess;
  }

  /** What went back of it, so that it is owed again. */
  async returned(sql: Sql, receivable: Receivable, amount: bigint): Promise<void> {
    const sums = { ...receivable, paid: receivable.paid - amount };
    const state = receivable.state === "void" ? "void" : receivableState(sums);
    await updateReceivable(sql, {
      ...sums,
      state,
      settledAt: state === "open" ? undefined : receivable.settledAt,
    });
  }

  async #stopCollecting(sql: Sql, { invoice }: Receivable): Promise<void> {
    await Promise.all(
      [charge_kind, dunning_end_kind].map((kind) => this.#on.wakes.cancelWake(sql, kind, invoice)),
    );
  }

  #publish(
    sql: Sql,
    organization: OrganizationId,
    type: "invoice.paid" | "invoice.marked_uncollectible",
    receivable: Receivable,
  ): Promise<void> {
    const { invoice, customer, currency, due } = receivable;
    const data = { invoice, customer, currency, due: due.toString() };
    return this.#on.notices.publish(sql, organization, [
      { type, key: `${type}:${invoice}:${receivable.attempts}`, data },
    ]);
  }

  async list(organization: OrganizationId, page: ReceivablePage): Promise<Receivable[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listReceivables(sql, page));
  }

  async find(organization: OrganizationId, invoice: string): Promise<Receivable | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findReceivable(sql, invoice));
  }
}

async function mustFind(sql: Sql, invoice: InvoiceId): Promise<Receivable> {
  const found = await findReceivable(sql, invoice);
  if (found === undefined) throw nothingOwed(invoice);
  return found;
}

function nothingOwed(invoice: string): Refusal {
  const detail = `Of invoice ${invoice.slice(0, 64)} nothing is owed.`;
  return new Refusal(makeProblem("nothing-owed", 409, "Nothing is owed", detail));
}

/** @param attempt  that may still take money */
export function inFlight(target: string, attempt: string): Refusal {
  const detail = `Payment attempt ${attempt} of ${target} has not ended: it may still take the money. Wait for it, or cancel it.`;
  return new Refusal(
    makeProblem("payment-in-progress", 409, "A payment is in progress", detail, { attempt }),
  );
}

function writtenOff(invoice: string): Refusal {
  const detail = `Parts of invoice ${invoice} were written off. Give back what is too much by a credit note.`;
  return new Refusal(
    makeProblem("invoice-written-off", 409, "Parts of the invoice were written off", detail),
  );
}

/** When dunning of an invoice began, or begins now. */
export function dunningSince({ dunning }: Receivable, now: Instant): Instant {
  return dunning.since ?? now;
}
