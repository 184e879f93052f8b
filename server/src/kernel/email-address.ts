import { domainToASCII } from "node:url";

/** An address that mail can be sent to, with the name of whoever reads it. */
export interface Mailbox {
  readonly name: string | undefined;
  readonly address: string;
}

const address_length_max = 254;
const local_length_max = 64;
const name_length_max = 128;
const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const localPart = new RegExp(`^${atom}(\\.${atom})*$`);
const domain = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * An address as it may stand in SMTP and in a header: a dot-atom of ASCII, @, and a domain, whose letters beyond ASCII
 * are written in their xn-- form; undefined for anything else. So it holds no blank, comma, bracket, quote or line break.
 */
export function parseEmailAddress(text: string): string | undefined {
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(at, 0));
  const given = text.slice(at + 1);
  if (!localPart.test(local) || local.length > local_length_max) return undefined;
  if (/[\s,;<>()[\]\\"%/?#:@]/.test(given)) return undefined;
  const host = domainToASCII(given).toLowerCase();
  if (host === "" || !domain.test(host)) return undefined;
  const address = `${local}@${host}`;
  return address.length <= address_length_max ? address : undefined;
}

/** "billing@acme.example" or "Acme Billing <billing@acme.example>"; undefined for anything else. */
export function parseMailbox(text: string): Mailbox | undefined {
  const [, quoted, given] = /^(.*)<([^<>]*)>$/s.exec(text.trim()) ?? [];
  const address = parseEmailAddress((given ?? text).trim());
  if (address === undefined) return undefined;
  const name = quoted === undefined ? "" : quoted.trim().replace(/^"(.*)"$/s, "$1");
  if (name === "") return { name: undefined, address };
  return isDisplayName(name) ? { name, address } : undefined;
}

/** Whether a text can be the name beside an address: 1 to 128 characters, none of them a control character. */
export function isDisplayName(text: string): boolean {
  return text.length > 0 && text.length <= name_length_max && !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(text);
}

/** What of a text can be such a name: customers are called as they like. */
export function displayNameOf(text: string): string | undefined {
  const clean = text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]+/gu, " ").trim();
  // By code points, of which each is two units at most.
  const name = Array.from(clean)
    .slice(0, name_length_max / 2)
    .join("")
    .trim();
  return isDisplayName(name) ? name : undefined;
}

/** What follows the @. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}
