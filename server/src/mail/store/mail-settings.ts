import { timestampText, type Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";

/** How an organization writes its mails. */
export interface MailSettings {
  /** Beside the operator's address; the billing profile's name when undefined. */
  readonly fromName: string | undefined;
  /** Where answers go; the billing profile's e-mail address when undefined. */
  readonly replyTo: string | undefined;
  /** Who gets a blind copy of each mail. */
  readonly copies: readonly string[];
  /** Whether invoices are sent by themselves when they are finalized. */
  readonly sendInvoices: boolean;
  /** Whether customers are told of their payments: receipts, failures, last reminders. */
  readonly sendPayments: boolean;
}

/** Of an organization that has set none. */
export const mail_settings_default: MailSettings = {
  fromName: undefined,
  replyTo: undefined,
  copies: [],
  sendInvoices: false,
  sendPayments: false,
};

interface MailSettingsRow {
  readonly from_name: string | null;
  readonly reply_to: string | null;
  readonly copies: readonly string[];
  readonly send_invoices: boolean;
  readonly send_payments: boolean;
}

export async function selectMailSettings(
  sql: Sql,
  organization: OrganizationId,
): Promise<MailSettings | undefined> {
  const [row] = await sql<MailSettingsRow[]>`
    SELECT from_name, reply_to, copies, send_invoices, send_payments FROM mail_settings WHERE organization = ${organization}`;
  if (row === undefined) return undefined;
  return {
    fromName: row.from_name ?? undefined,
    replyTo: row.reply_to ?? undefined,
    copies: row.copies,
    sendInvoices: row.send_invoices,
    sendPayments: row.send_payments,
  };
}

export async function upsertMailSettings(
  sql: Sql,
  organization: OrganizationId,
  { fromName, replyTo, copies, sendInvoices, sendPayments }: MailSettings,
  at: Instant,
): Promise<void> {
  await sql`
    INSERT INTO mail_settings (organization, from_name, reply_to, copies, send_invoices, send_payments, updated_at)
    VALUES (${organization}, ${fromName ?? null}, ${replyTo ?? null}, ${[...copies]}::text[], ${sendInvoices},
            ${sendPayments}, ${timestampText(at)}::text::timestamptz)
    ON CONFLICT (organization) DO UPDATE SET
      from_name = excluded.from_name, reply_to = excluded.reply_to, copies = excluded.copies,
      send_invoices = excluded.send_invoices, send_payments = excluded.send_payments, updated_at = excluded.updated_at`;
}
