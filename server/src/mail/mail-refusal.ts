import type { InvoiceId, MailId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";

export function unknownMail(id: string): Refusal {
  const detail = `There is no mail "${id.slice(0, 64)}".`;
  return new Refusal(makeProblem("mail-not-found", 404, "No such mail", detail));
}

export function notFinalized(id: InvoiceId): Refusal {
  const detail = `Invoice ${id} is a draft. It can be sent once it is final: weir invoices finalize ${id}`;
  return new Refusal(makeProblem("invoice-not-finalized", 409, "The invoice is a draft", detail));
}

export function noAddress(customer: string): Refusal {
  const detail = `${customer} has no e-mail address. Name one (to), or give it one: weir customers update … --email`;
  const errors = [{ field: "to", message: "at least one address" }];
  return new Refusal(makeProblem("invalid-mail", 400, "The mail has no recipient", detail, { errors }));
}

export function erased(id: MailId): Refusal {
  const detail = `Mail ${id} was to a customer that was erased since.`;
  return new Refusal(makeProblem("customer-erased", 409, "The customer was erased", detail));
}

export function withoutServer(): Refusal {
  const detail = "Whoever runs Weir sets WEIR_SMTP_URL (smtp://user:password@host:587) and WEIR_MAIL_FROM.";
  return new Refusal(makeProblem("mail-not-configured", 409, "Weir has no SMTP server", detail));
}

export function tooManyWaiting(count: number): Refusal {
  const detail = `${count} mails are waiting to be delivered. Wait until some are sent: weir mail list --state queued`;
  return new Refusal(makeProblem("too-many-mails", 409, "Too many mails wait", detail));
}
