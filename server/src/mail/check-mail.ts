import { isDisplayName, parseEmailAddress } from "../kernel/email-address.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { contentFaults, type MailContent } from "./core/index.js";
import type { MailSettings } from "./store/mail-settings.js";

export const recipients_max = 10;
export const copies_max = 5;
const key_length_max = 256;

/** What a caller gives for the settings; what is left out or empty is Weir's default. */
export interface NewMailSettings {
  readonly fromName?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly copies?: readonly string[] | undefined;
  readonly sendInvoices?: boolean | undefined;
  readonly sendPayments?: boolean | undefined;
}

type Fault = { readonly field: string; readonly message: string };

/** @throws Refusal 400 listing every fault by field */
export function checkMailSettings(input: NewMailSettings): MailSettings {
  const errors: Fault[] = [];
  const fromName = input.fromName?.trim() || undefined;
  if (fromName !== undefined && !isDisplayName(fromName))
    errors.push({ field: "fromName", message: "1 to 128 characters, none of them a control character" });
  const given = input.replyTo?.trim() || undefined;
  const replyTo = given === undefined ? undefined : parseEmailAddress(given);
  if (given !== undefined && replyTo === undefined) errors.push(badAddress("replyTo", given));
  const copies = checkAddresses("copies", input.copies ?? [], copies_max, errors);
  if (errors.length > 0)
    throw invalidMail(errors, "invalid-mail-settings", "The mail settings are not valid");
  const { sendInvoices = false, sendPayments = false } = input;
  return { fromName, replyTo, copies, sendInvoices, sendPayments };
}

/** Addresses as they may stand in SMTP, each once. @throws Refusal 400 */
export function checkRecipients(to: readonly string[]): string[] {
  const errors: Fault[] = [];
  const recipients = checkAddresses("to", to, recipients_max, errors);
  if (to.length === 0) errors.push({ field: "to", message: "at least one address" });
  if (errors.length > 0) throw invalidMail(errors);
  return recipients;
}

/** @throws RangeError for what only a program can get wrong: a key, content or number of recipients that no mail has */
export function checkQueued(mail: {
  readonly key: string;
  readonly content: MailContent;
  readonly to: readonly string[];
}): void {
  if (mail.key.length === 0 || mail.key.length > key_length_max)
    throw new RangeError(`a mail's key has 1 to ${key_length_max} characters`);
  if (mail.to.length === 0 || mail.to.length > recipients_max)
    throw new RangeError(`a mail has 1 to ${recipients_max} recipients`);
  const [fault] = contentFaults(mail.content);
  if (fault !== undefined) throw new RangeError(`a mail's ${fault.field}: ${fault.message}`);
}

function checkAddresses(
  field: string,
  texts: readonly string[],
  count_max: number,
  errors: Fault[],
): string[] {
  if (texts.length > count_max) {
    errors.push({ field, message: `at most ${count_max} addresses` });
    return [];
  }
  const addresses = new Set<string>();
  for (const text of texts) {
    const address = parseEmailAddress(text.trim());
    if (address === undefined) errors.push(badAddress(field, text));
    else addresses.add(address);
  }
  return [...addresses];
}

function badAddress(field: string, text: string): Fault {
  return {
    field,
    message: `"${text.slice(0, 320)}" is no address that mail can be sent to, such as billing@acme.example`,
  };
}

function invalidMail(
  errors: readonly Fault[],
  slug = "invalid-mail",
  title = "The mail is not valid",
): Refusal {
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  return new Refusal(makeProblem(slug, 400, title, detail, { errors }));
}
