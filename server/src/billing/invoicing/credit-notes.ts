import { recordAudit, runOnce } from "../../audit/index.js";
import type { Postgres, Sql } from "../../engines/postgres/index.js";
import type { Caller } from "../../identity/index.js";
import type { Clock, Clocks } from "../../kernel/clock.js";
import { newId, type OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { formatMoney } from "../../kernel/money.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { checkReason } from "../../kernel/reason.js";
import { creditNotePosting, decideCredits, earnedOf, voidPosting, type CreditedLine } from "../core/index.js";
import { takeProgress } from "../store/billing-progress.js";
import { findCreditNote, insertCreditNote, listCreditNotes } from "../store/credit-notes.js";
import { numberText, takeNumbers } from "../store/invoice-numbers.js";
import { lockInvoices, markVoided } from "../store/invoices.js";
import type { CreditNote, CreditNoteLine, NewCreditNote } from "./credit-note.js";
import { creditNoteMessage, voidedMessage, type WebhooksPort } from "./invoice-webhooks.js";
import type { CreditsPort, LedgerPort } from "./funds.js";
import { mustFindFinalized } from "./find-finalized.js";
import type { Invoice } from "./invoice.js";
import type { ReceivablesPort } from "./receivables-port.js";
import type { RevenuePort } from "./revenue-port.js";

export interface CreditNotesDependencies {
  readonly postgres: Postgres;
  readonly ledger: LedgerPort;
  readonly credits: CreditsPort;
  readonly receivables: ReceivablesPort;
  readonly webhooks?: WebhooksPort | undefined;
  readonly revenue: RevenuePort;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

const notes_per_invoice_max = 1000;

/** What is given back of finalized invoices: parts of lines, or everything. Every change is audited. */
export class CreditNotes {
  readonly #on: CreditNotesDependencies;

  constructor(dependencies: CreditNotesDependencies) {
    this.#on = dependencies;
  }

  /** By id, oldest first; of one invoice when given by id or number. */
  async list(
    organization: OrganizationId,
    page: { readonly invoice?: string; readonly after?: string; readonly limit: number },
  ): Promise<CreditNote[]> {
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const { invoice, ...rest } = page;
      if (invoice === undefined) return listCreditNotes(sql, rest);
      return listCreditNotes(sql, { ...rest, invoice: (await mustFindFinalized(sql, invoice, false)).id });
    });
  }

  /** By id or number. */
  async find(organization: OrganizationId, idOrNumber: string): Promise<CreditNote | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findCreditNote(sql, idOrNumber));
  }

  /** By id or number. @throws Refusal 404 */
  async get(organization: OrganizationId, idOrNumber: string): Promise<CreditNote> {
    const found = await this.find(organization, idOrNumber);
    if (found !== undefined) return found;
    const detail = `There is no credit note with the id or number "${idOrNumber.slice(0, 64)}".`;
    throw new Refusal(makeProblem("credit-note-not-found", 404, "No such credit note", detail));
  }

  /**
   * Gives back parts of a finalized invoice, with the tax that they bore: off what is still owed of it, the rest as
   * balance for later invoices. What was billed stays billed: it is not charged again.
   * @throws Refusal 404; 400 listing every fault by line; 409 for an invoice that is not finalized
   */
  async issue(caller: Caller, input: NewCreditNote, idempotencyKey?: string): Promise<CreditNote> {
    return this.#write(caller, "credit_note.issue", input, idempotencyKey, async (sql, invoice, at) => {
      const earlier = await listCreditNotes(sql, { invoice: invoice.id, limit: notes_per_invoice_max });
      const credited = (line: string, of: "net" | "tax") =>
        earlier.reduce(
          (sum, note) => note.lines.reduce((all, one) => (one.line === line ? all + one[of] : all), sum),
          0n,
        );
      const creditable = invoice.lines.map(({ id, taxable, tax }) => ({
        id,
        taxable,
        tax,
        creditedNet: credited(id, "net"),
        creditedTax: credited(id, "tax"),
      }));
      const all = creditable
        .filter((line) => line.taxable - line.creditedNet > 0n)
        .map(({ id }) => ({ line: id }));
      const decision = decideCredits(creditable, input.lines ?? all);
      if (!decision.ok) throw invalidLines(decision.faults);
      if (decision.lines.length === 0) throw nothingLeft(invoice);
      const given = sumOf(decision.lines);
      const total = given.net + given.tax;
      const { receivables } = this.#on;
      const toBalance = total - (await receivables.creditNoted(sql, caller.organization, invoice.id, total));
      const note = await this.#numbered(sql, caller.organization, invoice, {
        voids: false,
        reason: input.reason,
        ...given,
        toBalance,
        lines: decision.lines.map(
          (one): CreditNoteLine => ({ line: one.line as CreditNoteLine["line"], net: one.net, tax: one.tax }),
        ),
        createdAt: at,
      });
      const unearned = await this.#on.revenue.takeBack(
        sql,
        note.lines.map(({ line, net }) => ({ line, amount: net })),
      );
      const posting = creditNotePosting({
        id: note.id,
        payer: invoice.customer,
        currency: invoice.currency,
        lines: note.lines.map(({ line, net, tax }) => ({
          net,
          tax,
          service: serviceOf(invoice, line),
          deferred: unearned.get(line) ?? 0n,
        })),
        toBalance,
      });
      if (posting.transfers.length > 0) await this.#on.ledger.post(sql, caller.organization, [posting]);
      return { note, isNew: true };
    });
  }

  /**
   * Takes a finalized invoice back as if it had never been: its posting is reversed, its credits and balance are given back,
   * and what it billed is due again, on another invoice of its periods or on the next. Voiding again changes nothing.
   * @throws Refusal 404; 409 for a draft, or for one that credit notes gave parts of back
   */
  async void(
    caller: Caller,
    input: { readonly invoice: string; readonly reason: string },
    idempotencyKey?: string,
  ): Promise<CreditNote> {
    return this.#write(caller, "invoice.void", input, idempotencyKey, async (sql, invoice, at) => {
      const earlier = await listCreditNotes(sql, { invoice: invoice.id, limit: notes_per_invoice_max });
      const voiding = earlier.find(({ voids }) => voids);
      if (voiding !== undefined) return { note: voiding, isNew: false };
      if (earlier.length > 0) throw creditedAlready(invoice, earlier.length);
      const { organization } = caller;
      await takeProgress(
        sql,
        organization,
        invoice.sections.map(({ subscription }) => subscription),
      );
      const lines = invoice.lines.map(({ id, taxable, tax }) => ({ line: id, net: taxable, tax }));
      const note = await this.#numbered(sql, organization, invoice, {
        voids: true,
        reason: input.reason,
        ...sumOf(lines),
        toBalance: 0n,
        lines,
        createdAt: at,
      });
      const unearned = await this.#on.revenue.takeBack(
        sql,
        invoice.lines.map((line) => ({ line: line.id, amount: earnedOf(line) })),
      );
      const posting = voidPosting({
        id: invoice.id,
        payer: invoice.customer,
        currency: invoice.currency,
        lines: invoice.lines.map(({ id, promotional, taxable, tax, period }) => ({
          promotional,
          taxable,
          tax,
          service: period,
          deferred: unearned.get(id) ?? 0n,
        })),
        totals: invoice.totals,
      });
      if (posting !== undefined) await this.#on.ledger.post(sql, organization, [posting]);
      await this.#on.credits.restoreGrants(sql, organization, [invoice.id], at);
      await this.#on.receivables.invoiceVoided(sql, organization, invoice.id);
      await markVoided(sql, invoice.id, at);
      return { note, isNew: true };
    });
  }

  async #write(
    caller: Caller,
    action: string,
    input: { readonly invoice: string; readonly reason: string },
    idempotencyKey: string | undefined,
    work: (sql: Sql, invoice: Invoice, at: Instant) => Promise<{ note: CreditNote; isNew: boolean }>,
  ): Promise<CreditNote> {
    const { organization } = caller;
    checkReason(input.reason, "invalid-credit-note", "The credit note is not valid");
    const { postgres, clocks, clock } = this.#on;
    return postgres.inOrganization(organization, async (sql) => {
      const id = await runOnce(sql, { organization, idempotencyKey, action, input }, async () => {
        const { id: known } = await mustFindFinalized(sql, input.invoice, true);
        await lockInvoices(sql, [known]);
        // Read under the lock: what another credit note left.
        const invoice = await mustFindFinalized(sql, known, true);
        const { note, isNew } = await work(sql, invoice, clocks.of(organization).now());
        if (!isNew) return note.id;
        await recordAudit(sql, {
          organization,
          actor: caller,
          action,
          target: note.voids ? invoice.id : note.id,
          before: { invoice: invoice.id, status: invoice.status },
          after: describe(note),
          at: clock.now(),
        });
        const told = note.voids
          ? [voidedMessage(invoice, note), creditNoteMessage(invoice, note)]
          : [creditNoteMessage(invoice, note)];
        await this.#on.webhooks?.publishAll(sql, organization, told);
        return note.id;
      });
      const note = await findCreditNote(sql, id);
      if (note === undefined) throw new Error(`credit note ${id} was written and is not there`);
      return note;
    });
  }

  async #numbered(
    sql: Sql,
    organization: OrganizationId,
    invoice: Invoice,
    note: Omit<CreditNote, "id" | "invoice" | "customer" | "currency" | "sequence" | "number">,
  ): Promise<CreditNote> {
    const sequence = await takeNumbers(sql, organization, "credit_note", 1);
    const { id, customer, currency } = invoice;
    const numbered: CreditNote = {
      ...note,
      id: newId("crn", note.createdAt),
      invoice: id,
      customer,
      currency,
      sequence,
      number: numberText("credit_note", sequence),
    };
    await insertCreditNote(sql, organization, numbered);
    return numbered;
  }
}

function serviceOf(invoice: Invoice, line: string) {
  const found = invoice.lines.find(({ id }) => id === line);
  if (found === undefined) throw new RangeError(`line ${line} is not of invoice ${invoice.id}`);
  return found.period;
}

function sumOf(lines: readonly Pick<CreditedLine, "net" | "tax">[]): { net: bigint; tax: bigint } {
  return lines.reduce((sum, { net, tax }) => ({ net: sum.net + net, tax: sum.tax + tax }), {
    net: 0n,
    tax: 0n,
  });
}

function describe({ invoice, number, voids, reason, currency, net, tax, toBalance }: CreditNote): unknown {
  const money = (minor: bigint) => formatMoney({ currency, minor });
  return { invoice, number, voids, reason, net: money(net), tax: money(tax), toBalance: money(toBalance) };
}

function invalidLines(faults: readonly { line: string; message: string; left: bigint }[]): Refusal {
  const errors = faults.map(({ line, message, left }) => ({
    field: line,
    message: `${message} (${left} left)`,
  }));
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  return new Refusal(
    makeProblem("invalid-credit-note", 400, "The credit note is not valid", detail, { errors }),
  );
}

function nothingLeft({ finalized, id }: Invoice): Refusal {
  const detail = `Of invoice ${finalized?.number ?? id} nothing is left that could be given back.`;
  return new Refusal(makeProblem("invoice-credited", 409, "Nothing is left to give back", detail));
}

function creditedAlready({ finalized, id }: Invoice, notes: number): Refusal {
  const detail = `Of invoice ${finalized?.number ?? id}, ${notes} credit notes have given parts back. Give back the rest by another.`;
  return new Refusal(makeProblem("invoice-credited", 409, "Parts of the invoice were given back", detail));
}
