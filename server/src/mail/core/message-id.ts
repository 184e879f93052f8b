import { createHash } from "node:crypto";
import { domainOf } from "../../kernel/email-address.js";

export interface MailIdentity {
  readonly organization: string;
  readonly kind: string;
  /** What the mail is about, such as the invoice's id. */
  readonly key: string;
  readonly recipient: string;
  /** Counts how often a person had it sent: 1 the first time. */
  readonly sending: number;
}

/**
 * The Message-ID of a mail, the same each time that the same sending is tried: so a server that took it although its answer
 * was lost can tell the second one. 160 bits of SHA-256 over the parts, at the sender's domain; it names nobody.
 */
export function messageIdOf(mail: MailIdentity, sender: string): string {
  const parts = [mail.organization, mail.kind, mail.key, mail.recipient, String(mail.sending)];
  const hash = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  return `<${hash.slice(0, 40)}@${domainOf(sender)}>`;
}
