import {
  checkEInvoice,
  eInvoiceOf,
  renderPdf,
  writeEInvoice,
  type InvoiceDocument,
} from "../documents/index.js";
import { displayNameOf, type Mailbox } from "../kernel/email-address.js";
import type { OrganizationId } from "../kernel/ids.js";
import { utc } from "../kernel/time-zone.js";
import { messageIdOf } from "./core/index.js";
import { letterOf } from "./letter.js";
import { htmlOf, textOf } from "./letter-body.js";
import type { MailAttachment, OutgoingMail } from "./smtp-sender.js";
import type { MailSettings } from "./store/mail-settings.js";
import type { Mail } from "./store/mails.js";

/** Of all attachments of a mail together, before they are encoded. */
export const attachment_bytes_max = 10 * 1024 * 1024;

/** Who writes. */
export interface Sender {
  /** The operator's. */
  readonly from: Mailbox;
  /** As invoices name the organization. */
  readonly name: string;
  readonly email: string | undefined;
}

/** Thrown for a mail that cannot be made, and never will be. */
export class Unmailable extends Error {
  override readonly name = "Unmailable";
}

/**
 * A mail as it goes out. An invoice's is made from its document, with its PDF attached, and its e-invoice where that is valid
 * and there is room for both.
 * @throws Unmailable when the PDF alone is larger than mails may be
 */
export async function composeMail(
  organization: OrganizationId,
  mail: Mail,
  {
    sender,
    settings,
    document,
  }: {
    readonly sender: Sender;
    readonly settings: MailSettings;
    readonly document: InvoiceDocument | undefined;
  },
): Promise<OutgoingMail> {
  const attachments = document === undefined ? [] : await attachmentsOf(document);
  const locale = mail.locale ?? document?.locale ?? "en";
  const letter = letterOf(mail.content, {
    seller: sender.name,
    buyer: mail.buyer,
    locale,
    timeZone: mail.timeZone ?? document?.timeZone ?? utc,
    document,
    hasEInvoice: attachments.length > 1,
  });
  return {
    messageId: messageIdOf({ ...mail, organization }, sender.from.address),
    from: { name: displayNameOf(settings.fromName ?? sender.name), address: sender.from.address },
    replyTo: settings.replyTo ?? sender.email,
    to: { name: mail.buyer, address: mail.addressedTo ?? mail.recipient },
    recipient: mail.recipient,
    subject: letter.subject,
    text: textOf(letter),
    html: htmlOf(letter),
    attachments,
  };
}

async function attachmentsOf(document: InvoiceDocument): Promise<MailAttachment[]> {
  const name = (document.number ?? document.reference).replace(/[^\w.-]/g, "_");
  const pdf = { name: `${name}.pdf`, type: "application/pdf", content: await renderPdf(document) };
  if (pdf.content.byteLength > attachment_bytes_max)
    throw new Unmailable(
      `The PDF has ${pdf.content.byteLength} bytes, and a mail at most ${attachment_bytes_max}. Have it downloaded instead.`,
    );
  const invoice = eInvoiceOf(document);
  if (checkEInvoice(invoice).length > 0) return [pdf];
  const xml = { name: `${name}.xml`, type: "application/xml", content: Buffer.from(writeEInvoice(invoice)) };
  const bytes = pdf.content.byteLength + xml.content.byteLength;
  return bytes > attachment_bytes_max ? [pdf] : [pdf, xml];
}
