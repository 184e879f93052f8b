import { displayNameOf, parseEmailAddress } from "../kernel/email-address.js";
import { newId, type CustomerId, type InvoiceId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { TimeZone } from "../kernel/time-zone.js";
import type { MailContent } from "./core/index.js";
import type { Mail } from "./store/mails.js";

/** Whom a mail is about, as far as the mail names it. */
export interface MailedCustomer {
  readonly id: CustomerId;
  readonly name: string;
  readonly locale: string | undefined;
  readonly timeZone: TimeZone;
}

/** A mail to be written, to several recipients: a row for each. */
export interface WantedMail {
  readonly content: MailContent;
  readonly key: string;
  readonly recipients: readonly WantedRecipient[];
  readonly customer?: MailedCustomer | undefined;
  readonly invoice?: InvoiceId | undefined;
}

export interface WantedRecipient {
  readonly recipient: string;
  /** Of a blind copy: whom the mail itself goes to. */
  readonly addressedTo: string | undefined;
  /** Why nothing can be sent to it. */
  readonly fault?: string;
}

/**
 * Addresses as they are stored of customers, which may be none that mail can be sent to: those fail, so that a mail never
 * keeps what it tells from happening. With the blind copies of the first that is one; nobody twice.
 */
export function recipientsOf(to: readonly string[], copies: readonly string[]): WantedRecipient[] {
  const wanted = new Map<string, WantedRecipient>();
  for (const text of to) {
    const address = parseEmailAddress(text.trim());
    if (address !== undefined) wanted.set(address, { recipient: address, addressedTo: undefined });
    else
      wanted.set(text, {
        recipient: text,
        addressedTo: undefined,
        fault: "This is no address that mail can be sent to.",
      });
  }
  const first = [...wanted.values()].find(({ fault }) => fault === undefined);
  if (first === undefined) return [...wanted.values()];
  for (const copy of copies)
    if (!wanted.has(copy)) wanted.set(copy, { recipient: copy, addressedTo: first.recipient });
  return [...wanted.values()];
}

/** @param suppressedBy why it is only recorded; undefined when it is sent */
export function rowsOf(
  { content, key, recipients, customer, invoice }: WantedMail,
  suppressedBy: string | undefined,
  at: Instant,
): Mail[] {
  return recipients.map(({ recipient, addressedTo, fault }) => ({
    id: newId("eml", at),
    kind: content.kind,
    key,
    recipient,
    addressedTo,
    buyer: customer === undefined ? undefined : displayNameOf(customer.name),
    customer: customer?.id,
    invoice,
    locale: customer?.locale,
    timeZone: customer?.timeZone,
    content,
    state: fault !== undefined ? "failed" : suppressedBy === undefined ? "queued" : "suppressed",
    reason: fault ?? suppressedBy,
    reply: undefined,
    sending: 1,
    attempts: 0,
    createdAt: at,
    queuedAt: at,
    dueAt: at,
    sentAt: undefined,
  }));
}
