import type { Sql } from "../engines/postgres/index.js";
import type { InvoiceId, OrganizationId } from "../kernel/ids.js";
import type { Money } from "../kernel/money.js";
import { openAmount, type DunningEnd, type DunningStep } from "./core/index.js";
import type { BillingPort, MailPort, PaymentMail } from "./ports.js";
import { listAttempts, type PaymentAttempt } from "./store/attempts.js";
import { findMethod, type PaymentMethod } from "./store/payment-methods.js";
import type { Payment } from "./store/payments.js";
import type { Receivable } from "./store/receivables.js";

export interface PaymentMailsDependencies {
  readonly mail: MailPort;
  readonly billing: BillingPort;
}

const attempts_max = 100;

/**
 * What customers are told of their payments by mail, in the transactions of what happened. An organization that wants none of it
 * costs one question.
 */
export class PaymentMails {
  readonly #on: PaymentMailsDependencies;

  constructor(dependencies: PaymentMailsDependencies) {
    this.#on = dependencies;
  }

  /** Money was taken: a receipt. */
  async received(
    sql: Sql,
    organization: OrganizationId,
    attempt: PaymentAttempt,
    payment: Payment,
  ): Promise<void> {
    if (!(await this.#on.mail.tellsOfPayments(sql, organization))) return;
    const invoice = invoiceOf(attempt);
    const number = invoice && (await this.#on.billing.invoice(sql, invoice)).number;
    await this.#tell(sql, organization, attempt, payment.id, {
      kind: "receipt",
      ...(number === undefined ? {} : { invoiceNumber: number }),
      amount: { currency: payment.currency, minor: payment.amount },
      paidAt: payment.receivedAt,
      ...(await methodText(sql, attempt)),
    });
  }

  /** An invoice's attempt was declined: why, and what comes. Where neither time nor another card helps, nothing is said. */
  async declined(
    sql: Sql,
    organization: OrganizationId,
    attempt: PaymentAttempt,
    step: DunningStep,
  ): Promise<void> {
    const { decline } = attempt;
    const invoice = invoiceOf(attempt);
    if (decline === undefined || decline.hardness === "setup" || invoice === undefined) return;
    if (decline.hardness === "hard") return this.methodRefused(sql, organization, attempt);
    if (!(await this.#on.mail.tellsOfPayments(sql, organization))) return;
    await this.#tell(sql, organization, attempt, attempt.id, {
      kind: "payment_failed",
      invoiceNumber: (await this.#on.billing.invoice(sql, invoice)).number,
      amount: amountOf(attempt),
      decline: decline.code,
      ...(step.kind === "retry" ? { nextAttemptAt: step.at } : {}),
      ...(await methodText(sql, attempt)),
      ...this.#link(organization, attempt),
    });
  }

  /** The method will not do, whatever one waits. */
  async methodRefused(sql: Sql, organization: OrganizationId, attempt: PaymentAttempt): Promise<void> {
    if (!(await this.#on.mail.tellsOfPayments(sql, organization))) return;
    await this.#tell(sql, organization, attempt, attempt.id, {
      kind: "card_update",
      ...(await methodText(sql, attempt)),
      ...this.#link(organization, attempt),
    });
  }

  /** Nothing brought the money. */
  async dunningEnded(
    sql: Sql,
    organization: OrganizationId,
    receivable: Receivable,
    end: DunningEnd,
  ): Promise<void> {
    const { invoice, currency, attempts } = receivable;
    if (!(await this.#on.mail.tellsOfPayments(sql, organization))) return;
    const last = (await listAttempts(sql, { invoice, limit: attempts_max })).at(-1);
    if (last === undefined) return;
    await this.#tell(sql, organization, last, `${invoice}:${attempts}`, {
      kind: "dunning_final",
      invoiceNumber: (await this.#on.billing.invoice(sql, invoice)).number,
      amount: { currency, minor: openAmount(receivable) },
      action: end === "mark_uncollectible" ? "none" : end,
      ...this.#link(organization, last),
    });
  }

  async #tell(
    sql: Sql,
    organization: OrganizationId,
    attempt: PaymentAttempt,
    key: string,
    content: PaymentMail["content"],
  ): Promise<void> {
    const customer = await this.#on.billing.customer(sql, attempt.customer);
    await this.#on.mail.tell(sql, organization, { content, key, customer, invoice: invoiceOf(attempt) });
  }

  #link(organization: OrganizationId, { customer, account }: PaymentAttempt): { link?: string } {
    const link = this.#on.mail.cardLinkOf(organization, customer, account);
    return link === undefined ? {} : { link };
  }
}

function invoiceOf({ target }: PaymentAttempt): InvoiceId | undefined {
  return target.kind === "invoice" ? target.invoice : undefined;
}

function amountOf({ currency, amount: minor }: PaymentAttempt): Money {
  return { currency, minor };
}

async function methodText(sql: Sql, { method }: PaymentAttempt): Promise<{ method?: string }> {
  const found = await findMethod(sql, method);
  const text = found && nameOf(found);
  return text === undefined ? {} : { method: text };
}

/** As the customer knows it: "VISA •••• 4242". */
function nameOf({ brand, last4 }: PaymentMethod): string | undefined {
  const parts = [brand?.toUpperCase(), last4 && `•••• ${last4}`].filter(
    (part) => part !== undefined && part !== "",
  );
  return parts.length === 0 ? undefined : parts.join(" ");
}
