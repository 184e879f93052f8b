import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { CustomerId, InvoiceId, MailId, OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { JsonValue } from "../../kernel/json.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import { contentFromJson, contentToJson, type MailContent, type MailKind } from "../core/index.js";

export const mail_states = ["queued", "sent", "failed", "suppressed"] as const;
/** suppressed: recorded, and never to be sent by itself; `reason` says why. */
export type MailState = (typeof mail_states)[number];

/** A mail to one recipient. */
export interface Mail {
  readonly id: MailId;
  readonly kind: MailKind;
  /** What it is about: a recipient is told it once. */
  readonly key: string;
  readonly recipient: string;
  /** Of a blind copy: whom the mail itself went to. */
  readonly addressedTo: string | undefined;
  /** The customer's name. */
  readonly buyer: string | undefined;
  readonly customer: CustomerId | undefined;
  readonly invoice: InvoiceId | undefined;
  readonly locale: string | undefined;
  readonly timeZone: TimeZone | undefined;
  readonly content: MailContent;
  readonly state: MailState;
  /** Why it is not sent, or not yet. */
  readonly reason: string | undefined;
  /** What the SMTP server said last. */
  readonly reply: string | undefined;
  /** How often a person had it sent, the first time included. */
  readonly sending: number;
  /** Attempts of this sending. */
  readonly attempts: number;
  /** In the organization's time, as all but `sentAt`. */
  readonly createdAt: Instant;
  /** When this sending began. */
  readonly queuedAt: Instant;
  /** When it is tried next. */
  readonly dueAt: Instant;
  readonly sentAt: Instant | undefined;
}

/** Writes mails; those that a recipient has for the same key and kind are left as they are. @returns the ids that were written */
export async function insertMails(
  sql: Sql,
  organization: OrganizationId,
  mails: readonly Mail[],
): Promise<MailId[]> {
  if (mails.length === 0) return [];
  const texts = (of: (mail: Mail) => string | undefined) => arrayText(mails.map((mail) => of(mail) ?? ""));
  const rows = await sql<{ id: MailId }[]>`
    INSERT INTO mails
      (organization, id, kind, key, recipient, addressed_to, buyer, customer, invoice, locale, time_zone, content, state, reason,
       sending, attempts, created_at, queued_at, due_at)
    SELECT ${organization}, m.id, m.kind, m.key, m.recipient, nullif(m.addressed_to, ''), nullif(m.buyer, ''),
           nullif(m.customer, ''), nullif(m.invoice, ''), nullif(m.locale, ''), nullif(m.time_zone, ''), m.content::jsonb,
           m.state, nullif(m.reason, ''), 1, 0, m.at::timestamptz, m.at::timestamptz, m.at::timestamptz
    FROM unnest(${texts(({ id }) => id)}::text[], ${texts(({ kind }) => kind)}::text[], ${texts(({ key }) => key)}::text[],
                ${texts(({ recipient }) => recipient)}::text[], ${texts(({ addressedTo }) => addressedTo)}::text[],
                ${texts(({ buyer }) => buyer)}::text[], ${texts(({ customer }) => customer)}::text[],
                ${texts(({ invoice }) => invoice)}::text[], ${texts(({ locale }) => locale)}::text[],
                ${texts(({ timeZone }) => timeZone)}::text[],
                ${texts(({ content }) => JSON.stringify(contentToJson(content)))}::text[], ${texts(({ state }) => state)}::text[],
                ${texts(({ reason }) => reason)}::text[], ${texts(({ createdAt }) => timestampText(createdAt))}::text[])
         AS m (id, kind, key, recipient, addressed_to, buyer, customer, invoice, locale, time_zone, content, state, reason, at)
    ON CONFLICT ON CONSTRAINT mails_once DO NOTHING RETURNING id`;
  return rows.map(({ id }) => id);
}

export interface MailFilter {
  readonly state?: MailState | undefined;
  readonly kind?: MailKind | undefined;
  readonly invoice?: InvoiceId | undefined;
  readonly customer?: CustomerId | undefined;
}

/** Mails by id, newest first, after a mail. */
export async function listMails(
  sql: Sql,
  page: MailFilter & { readonly after?: string; readonly limit: number },
): Promise<Mail[]> {
  const { after = null, state = null, kind = null, invoice = null, customer = null } = page;
  const rows = await sql<MailRow[]>`
    SELECT id, kind, key, recipient, addressed_to, buyer, customer, invoice, locale, time_zone, content, state, reason, reply,
           sending, attempts, (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM queued_at) * 1000000)::bigint::text AS queued_at,
           (extract(epoch FROM due_at) * 1000000)::bigint::text AS due_at,
           (extract(epoch FROM sent_at) * 1000000)::bigint::text AS sent_at
    FROM mails
    WHERE (${after}::text IS NULL OR id < ${after}) AND (${state}::text IS NULL OR state = ${state})
      AND (${kind}::text IS NULL OR kind = ${kind}) AND (${invoice}::text IS NULL OR invoice = ${invoice})
      AND (${customer}::text IS NULL OR customer = ${customer})
    ORDER BY id DESC LIMIT ${page.limit}`;
  return rows.map(mailOf);
}

/** In no particular order. */
export async function readMails(sql: Sql, ids: readonly string[]): Promise<Mail[]> {
  const rows = await sql<MailRow[]>`
    SELECT id, kind, key, recipient, addressed_to, buyer, customer, invoice, locale, time_zone, content, state, reason, reply,
           sending, attempts, (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM queued_at) * 1000000)::bigint::text AS queued_at,
           (extract(epoch FROM due_at) * 1000000)::bigint::text AS due_at,
           (extract(epoch FROM sent_at) * 1000000)::bigint::text AS sent_at
    FROM mails WHERE id = ANY (${arrayText(ids)}::text[])`;
  return rows.map(mailOf);
}

/** Mails of a kind and key to recipients, held until the transaction ends. */
export async function lockMailsTo(
  sql: Sql,
  { kind, key, recipients }: { kind: MailKind; key: string; recipients: readonly string[] },
): Promise<Mail[]> {
  const rows = await sql<{ id: MailId }[]>`
    SELECT id FROM mails WHERE key = ${key} AND kind = ${kind} AND recipient = ANY (${arrayText(recipients)}::text[])
    ORDER BY id FOR NO KEY UPDATE`;
  return readMails(
    sql,
    rows.map(({ id }) => id),
  );
}

/** One mail, held until the transaction ends. */
export async function lockMail(sql: Sql, id: string): Promise<Mail | undefined> {
  await sql`SELECT id FROM mails WHERE id = ${id} FOR NO KEY UPDATE`;
  return (await readMails(sql, [id]))[0];
}

/** Begins another sending of mails. */
export async function sendAgain(
  sql: Sql,
  ids: readonly MailId[],
  { state, reason, at }: { state: "queued" | "suppressed"; reason: string | undefined; at: Instant },
): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    UPDATE mails
    SET state = ${state}, reason = ${reason ?? null}, reply = NULL, sending = sending + 1, attempts = 0, sent_at = NULL,
        queued_at = ${timestampText(at)}::text::timestamptz, due_at = ${timestampText(at)}::text::timestamptz
    WHERE id = ANY (${arrayText(ids)}::text[])`;
}

/** Lets queued mails be tried at once. */
export async function makeDue(sql: Sql, ids: readonly MailId[], at: Instant): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    UPDATE mails SET due_at = ${timestampText(at)}::text::timestamptz
    WHERE id = ANY (${arrayText(ids)}::text[]) AND state = 'queued'`;
}

/** How many mails are queued, counted up to `limit`. */
export async function countQueued(sql: Sql, limit: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    SELECT count(*)::int AS count FROM (SELECT FROM mails WHERE state = 'queued' LIMIT ${limit}) queued`;
  return row?.count ?? 0;
}

/** Which mails are to be tried at an instant, longest waiting first. */
export async function selectDueMails(sql: Sql, now: Instant, limit: number): Promise<MailId[]> {
  const rows = await sql<{ id: MailId }[]>`
    SELECT id FROM mails WHERE state = 'queued' AND due_at <= ${timestampText(now)}::text::timestamptz
    ORDER BY due_at, id LIMIT ${limit}`;
  return rows.map(({ id }) => id);
}

/** When the next queued mail is to be tried. */
export async function selectNextDue(sql: Sql): Promise<Instant | undefined> {
  const [row] = await sql<{ due_at: string | null }[]>`
    SELECT (extract(epoch FROM min(due_at)) * 1000000)::bigint::text AS due_at FROM mails WHERE state = 'queued'`;
  return row?.due_at == null ? undefined : instantOfMicros(row.due_at);
}

/** Counts an attempt before it is made, so that one that takes the process down counts too. */
export async function countAttempt(sql: Sql, id: MailId): Promise<void> {
  await sql`UPDATE mails SET attempts = attempts + 1 WHERE id = ${id}`;
}

export interface MailResult {
  readonly state: MailState;
  readonly reason: string | undefined;
  readonly reply: string | undefined;
  /** As it was when left out. */
  readonly dueAt?: Instant;
  /** Of one that was sent. */
  readonly sentAt?: Instant;
}

/** Records what became of an attempt, unless another sending has begun since. */
export async function recordResult(
  sql: Sql,
  mail: Pick<Mail, "id" | "sending" | "dueAt">,
  { state, reason, reply, dueAt = mail.dueAt, sentAt }: MailResult,
): Promise<void> {
  await sql`
    UPDATE mails
    SET state = ${state}, reason = ${reason ?? null}, reply = ${reply ?? null},
        due_at = ${timestampText(dueAt)}::text::timestamptz,
        sent_at = ${sentAt === undefined ? null : timestampText(sentAt)}::text::timestamptz
    WHERE id = ${mail.id} AND sending = ${mail.sending} AND state = 'queued'`;
}

/** Replaces what mails to a customer say of it, for good; what is still queued is not sent any more. */
export async function eraseMailsOf(sql: Sql, customer: CustomerId): Promise<void> {
  await sql`
    UPDATE mails
    SET recipient = CASE WHEN addressed_to IS NULL THEN 'erased:' || id ELSE recipient END,
        addressed_to = CASE WHEN addressed_to IS NULL THEN NULL ELSE 'erased' END,
        buyer = NULL, reply = NULL, content = jsonb_build_object('kind', kind),
        reason = CASE WHEN state = 'queued' THEN 'The customer was erased.' END,
        state = CASE WHEN state = 'queued' THEN 'failed' ELSE state END
    WHERE customer = ${customer}`;
}

interface MailRow {
  readonly id: MailId;
  readonly kind: MailKind;
  readonly key: string;
  readonly recipient: string;
  readonly addressed_to: string | null;
  readonly buyer: string | null;
  readonly customer: CustomerId | null;
  readonly invoice: InvoiceId | null;
  readonly locale: string | null;
  readonly time_zone: TimeZone | null;
  readonly content: { readonly [name: string]: JsonValue };
  readonly state: MailState;
  readonly reason: string | null;
  readonly reply: string | null;
  readonly sending: number;
  readonly attempts: number;
  readonly created_at: string;
  readonly queued_at: string;
  readonly due_at: string;
  readonly sent_at: string | null;
}

function mailOf(row: MailRow): Mail {
  return {
    id: row.id,
    kind: row.kind,
    key: row.key,
    recipient: row.recipient,
    addressedTo: row.addressed_to ?? undefined,
    buyer: row.buyer ?? undefined,
    customer: row.customer ?? undefined,
    invoice: row.invoice ?? undefined,
    locale: row.locale ?? undefined,
    timeZone: row.time_zone ?? undefined,
    content: contentFromJson(row.content),
    state: row.state,
    reason: row.reason ?? undefined,
    reply: row.reply ?? undefined,
    sending: row.sending,
    attempts: row.attempts,
    createdAt: instantOfMicros(row.created_at),
    queuedAt: instantOfMicros(row.queued_at),
    dueAt: instantOfMicros(row.due_at),
    sentAt: row.sent_at === null ? undefined : instantOfMicros(row.sent_at),
  };
}
