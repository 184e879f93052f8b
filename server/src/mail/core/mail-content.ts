import { parseCurrency } from "../../kernel/currency.js";
import { formatInstant, parseInstant, type Instant } from "../../kernel/instant.js";
import type { JsonValue } from "../../kernel/json.js";
import type { Money } from "../../kernel/money.js";

/** What a mail is about; each kind has its own words. */
export const mail_kinds = [
  "invoice",
  "receipt",
  "payment_failed",
  "card_update",
  "dunning_final",
  "test",
] as const;
export type MailKind = (typeof mail_kinds)[number];

/** What happens to the subscription when a debt stays unpaid. */
export type FinalAction = "pause" | "cancel" | "none";

/** What a mail says, besides who writes to whom. */
export type MailContent =
  /** The finalized invoice that the mail belongs to, with its documents attached. */
  | { readonly kind: "invoice" }
  | {
      readonly kind: "receipt";
      readonly invoiceNumber?: string;
      readonly amount: Money;
      readonly paidAt: Instant;
      /** As the customer knows it: "VISA •••• 4242". */
      readonly method?: string;
      readonly link?: string;
    }
  | {
      readonly kind: "payment_failed";
      readonly invoiceNumber: string;
      readonly amount: Money;
      readonly method?: string;
      /** A decline's code, which each language has plain words for. */
      readonly decline?: string;
      /** Instead: in the customer's language, or in the provider's words. */
      readonly reason?: string;
      readonly nextAttemptAt?: Instant;
      /** Where to pay, or to give another method. */
      readonly link?: string;
    }
  | {
      readonly kind: "card_update";
      readonly method?: string;
      /** As on the card: "04/27". */
      readonly expires?: string;
      readonly link?: string;
    }
  | {
      readonly kind: "dunning_final";
      readonly invoiceNumber: string;
      readonly amount: Money;
      readonly action: FinalAction;
      readonly at?: Instant;
      readonly link?: string;
    }
  | { readonly kind: "test" };

const text_length_max = 200;
const link_length_max = 2048;

/**
 * What is wrong with a content, by field: texts too long or with control characters, links that are not https (http is
 * for addresses of this machine only).
 */
export function contentFaults(content: MailContent): readonly { field: string; message: string }[] {
  const faults: { field: string; message: string }[] = [];
  const texts = ["invoiceNumber", "method", "decline", "reason", "expires"] as const;
  const fields: Readonly<Record<string, unknown>> = { ...content };
  for (const field of texts) {
    const text = fields[field];
    if (typeof text === "string" && !/^[^\p{Cc}\p{Cs}]{1,200}$/u.test(text))
      faults.push({ field, message: `1 to ${text_length_max} characters, none of them a control character` });
  }
  const link = fields["link"];
  if (typeof link === "string" && !isMailLink(link))
    faults.push({ field: "link", message: `a https address of at most ${link_length_max} characters` });
  return faults;
}

/** Whether a mail may lead there. */
export function isMailLink(text: string): boolean {
  if (text.length > link_length_max || !/^[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  return (
    protocol === "https:" || (protocol === "http:" && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname))
  );
}

/** For a store: instants as RFC 3339, money as minor units in text. */
export function contentToJson(content: MailContent): { [name: string]: JsonValue } {
  const json: { [name: string]: JsonValue } = {};
  for (const [name, value] of Object.entries(content) as [string, string | Instant | Money | undefined][]) {
    if (typeof value === "object") json[name] = { currency: value.currency, minor: value.minor.toString() };
    else if (typeof value === "number") json[name] = formatInstant(value);
    else if (value !== undefined) json[name] = value;
  }
  return json;
}

/** Reads back what `contentToJson` wrote. @throws RangeError when it is something else */
export function contentFromJson(json: { readonly [name: string]: JsonValue }): MailContent {
  const entries = Object.entries(json).map(([name, value]) => {
    if (name === "amount") return [name, moneyFromJson(value)] as const;
    if (name === "paidAt" || name === "nextAttemptAt" || name === "at") {
      const instant = typeof value === "string" ? parseInstant(value) : undefined;
      if (instant === undefined) throw new RangeError(`a mail's ${name} is no instant`);
      return [name, instant] as const;
    }
    return [name, value] as const;
  });
  const content = Object.fromEntries(entries) as unknown as MailContent;
  if (!(mail_kinds as readonly string[]).includes(content.kind)) throw new RangeError("a mail has no kind");
  return content;
}

function moneyFromJson(value: JsonValue): Money {
  const { currency: code, minor } = (value ?? {}) as { readonly [name: string]: JsonValue };
  const currency = typeof code === "string" ? parseCurrency(code) : undefined;
  if (currency === undefined || typeof minor !== "string")
    throw new RangeError("a mail's amount is no money");
  return { currency, minor: BigInt(minor) };
}
