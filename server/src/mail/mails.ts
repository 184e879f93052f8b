import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { parseEmailAddress } from "../kernel/email-address.js";
import { newId, type CustomerId, type InvoiceId, type MailId, type OrganizationId } from "../kernel/ids.js";
import type { TimeZone } from "../kernel/time-zone.js";
import { checkMailSettings, checkQueued, checkRecipients, type NewMailSettings } from "./check-mail.js";
import { messageIdOf, type MailContent } from "./core/index.js";
import type { DeliveryNoted } from "./mail-delivery.js";
import {
  erased,
  noAddress,
  notFinalized,
  tooManyWaiting,
  unknownMail,
  withoutServer,
} from "./mail-refusal.js";
import {
  mail_settings_default,
  selectMailSettings,
  upsertMailSettings,
  type MailSettings,
} from "./store/mail-settings.js";
import {
  countQueued,
  eraseMailsOf,
  insertMails,
  listMails,
  lockMail,
  lockMailsTo,
  makeDue,
  readMails,
  sendAgain,
  type Mail,
  type MailFilter,
} from "./store/mails.js";
import { recipientsOf, rowsOf, type MailedCustomer, type WantedMail } from "./wanted-mail.js";

/** Invoices as mail asks for them: by id or number. */
export interface MailedInvoices {
  /** @throws Refusal 404 */
  get(
    organization: OrganizationId,
    idOrNumber: string,
  ): Promise<{
    readonly id: InvoiceId;
    readonly customer: CustomerId;
    readonly finalized: { readonly buyer: { readonly email: string | undefined } } | undefined;
  }>;
}

/** An invoice that was finalized just now. */
export interface NewlyFinalized {
  readonly id: InvoiceId;
  readonly customer: CustomerId;
  readonly timeZone: TimeZone;
  readonly finalized: {
    readonly buyer: {
      readonly name: string;
      readonly email: string | undefined;
      readonly locale: string | undefined;
    };
  };
}

export interface MailsOptions {
  readonly postgres: Postgres;
  readonly clock: Clock;
  readonly clocks: Clocks;
  /** The operator's address, or undefined without an SMTP server. */
  readonly from: string | undefined;
  /** Whether organizations with a test clock send mail. */
  readonly testClocks: boolean;
  readonly invoices: MailedInvoices;
  readonly customerOf: (
    organization: OrganizationId,
    id: CustomerId,
  ) => Promise<MailedCustomer & { readonly email: string | undefined }>;
  readonly deliveryNoted: DeliveryNoted;
}

/** A mail as another domain has it sent. */
export interface NewMail {
  readonly content: Exclude<MailContent, { kind: "invoice" }>;
  /** What it is about, such as "pat_…:declined": a recipient is told it once, however often it is queued. */
  readonly key: string;
  /** 1 to 10 addresses; one that mail cannot be sent to fails, and keeps nothing else from happening. */
  readonly to: readonly string[];
  readonly customer?: MailedCustomer;
  readonly invoice?: InvoiceId;
}

/** Mails that can be waiting at once in an organization, of those that people send. */
const waiting_by_hand_max = 1_000;

/**
 * Mails of organizations: queued in the transaction of what they tell, delivered by a run of their own. Every change that a
 * person makes is audited, without addresses.
 */
export class Mails {
  readonly #on: MailsOptions;

  constructor(options: MailsOptions) {
    this.#on = options;
  }

  /** Newest first. */
  async list(
    organization: OrganizationId,
    page: MailFilter & { readonly after?: string; readonly limit: number },
  ): Promise<Mail[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listMails(sql, page));
  }

  async find(organization: OrganizationId, id: string): Promise<Mail | undefined> {
    const [found] = await this.#on.postgres.inOrganization(organization, (sql) => readMails(sql, [id]));
    return found;
  }

  /** As it is, or will be, sent under; undefined without an SMTP server. */
  messageIdOf(organization: OrganizationId, mail: Mail): string | undefined {
    const { from } = this.#on;
    return from === undefined ? undefined : messageIdOf({ ...mail, organization }, from);
  }

  async settingsOf(organization: OrganizationId): Promise<MailSettings> {
    return this.#on.postgres.inOrganization(organization, (sql) => settingsIn(sql, organization));
  }

  /** Replaces the settings as a whole. @throws Refusal 400 listing every fault by field */
  async setSettings(caller: Caller, input: NewMailSettings, idempotencyKey?: string): Promise<MailSettings> {
    const { organization } = caller;
    const after = checkMailSettings(input);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "mail_settings.set", input };
      await runOnce(sql, request, async () => {
        const at = this.#on.clock.now();
        const before = await selectMailSettings(sql, organization);
        await upsertMailSettings(sql, organization, after, at);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "mail_settings.set",
          target: organization,
          before,
          after,
          at,
        });
        return organization;
      });
      return (await selectMailSettings(sql, organization)) ?? after;
    });
  }

  /**
   * Sends a finalized invoice, to its customer's address when no other is given. To a recipient that has had it, it is sent
   * again; to one that it waits for, at once.
   * @returns a mail for each recipient, blind copies last
   * @throws Refusal 404; 400 for addresses; 409 for a draft, without an SMTP server, or with too many waiting
   */
  async sendInvoice(
    caller: Caller,
    input: { readonly invoice: string; readonly to?: readonly string[] },
    idempotencyKey?: string,
  ): Promise<Mail[]> {
    const { organization } = caller;
    const { postgres, invoices, customerOf } = this.#on;
    const invoice = await invoices.get(organization, input.invoice);
    if (invoice.finalized === undefined) throw notFinalized(invoice.id);
    if (this.#on.from === undefined) throw withoutServer();
    const customer = await customerOf(organization, invoice.customer);
    const own = customer.email ?? invoice.finalized.buyer.email;
    if (input.to === undefined && own === undefined) throw noAddress(customer.name);
    const to = checkRecipients(input.to ?? [own ?? ""]);
    return postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "mail.send_invoice", input };
      const ids = await runOnce(sql, request, async () => {
        const { copies } = await settingsIn(sql, organization);
        const sent = await this.#sendByHand(sql, organization, {
          content: { kind: "invoice" },
          key: invoice.id,
          recipients: recipientsOf(to, copies),
          customer,
          invoice: invoice.id,
        });
        await this.#audit(sql, caller, "mail.send_invoice", invoice.id, { mails: sent });
        return sent;
      });
      const mails = new Map(
        await readMails(sql, ids).then((all) => all.map((mail) => [mail.id as string, mail])),
      );
      return ids.flatMap((id) => mails.get(id) ?? []);
    });
  }

  /**
   * Sends a mail again, under a Message-ID of its own; one that waits is tried at once.
   * @throws Refusal 404; 409 without an SMTP server, for a customer that was erased, or with too many waiting
   */
  async resend(caller: Caller, input: { readonly id: string }, idempotencyKey?: string): Promise<Mail> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "mail.resend", input };
      const id = await runOnce(sql, request, async () => {
        const mail = await lockMail(sql, input.id);
        if (mail === undefined) throw unknownMail(input.id);
        if (this.#on.from === undefined) throw withoutServer();
        if (parseEmailAddress(mail.addressedTo ?? mail.recipient) === undefined) throw erased(mail.id);
        await this.#again(sql, organization, [mail]);
        await this.#audit(sql, caller, "mail.resend", mail.id, { before: mail.state });
        return mail.id;
      });
      return mustRead(sql, id);
    });
  }

  /** Sends a mail that says that mail works. @throws Refusal 400 for the address; 409 as `resend` */
  async sendTest(caller: Caller, input: { readonly to: string }, idempotencyKey?: string): Promise<Mail> {
    const { organization } = caller;
    if (this.#on.from === undefined) throw withoutServer();
    const [recipient = ""] = checkRecipients([input.to]);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "mail.test", input };
      const id = await runOnce(sql, request, async () => {
        const [sent] = await this.#sendByHand(sql, organization, {
          content: { kind: "test" },
          key: newId("req", this.#on.clock.now()),
          recipients: [{ recipient, addressedTo: undefined }],
        });
        if (sent === undefined) throw new Error("a test mail was not written");
        await this.#audit(sql, caller, "mail.test", sent, {});
        return sent;
      });
      return mustRead(sql, id);
    });
  }

  /**
   * Queues a mail in the caller's transaction, with the blind copies that the settings ask for. Queued again under its kind and
   * key, a recipient that has it is left alone: it commits once with what it tells.
   * @returns the ids of what was written
   * @throws RangeError for a content that no mail can have, and for no recipient or more than 10
   */
  async queue(sql: Sql, organization: OrganizationId, mail: NewMail): Promise<MailId[]> {
    checkQueued(mail);
    const { copies } = await settingsIn(sql, organization);
    const recipients = recipientsOf(mail.to, copies);
    return this.#write(sql, organization, [{ ...mail, recipients }]);
  }

  /** Whether the organization has its customers told of their payments by mail. */
  async tellsOfPayments(sql: Sql, organization: OrganizationId): Promise<boolean> {
    return (await selectMailSettings(sql, organization))?.sendPayments ?? false;
  }

  /**
   * Told which invoices were finalized, in that transaction: queues them to their customers where the organization wants
   * that, in one statement. A customer without an address gets none; one with an address that is none, a failed one.
   */
  async invoicesFinalized(
    sql: Sql,
    organization: OrganizationId,
    invoices: readonly NewlyFinalized[],
  ): Promise<void> {
    if (invoices.length === 0) return;
    const settings = await selectMailSettings(sql, organization);
    if (settings?.sendInvoices !== true) return;
    const wanted = invoices.flatMap((invoice): WantedMail[] => {
      const { id, customer, timeZone, finalized } = invoice;
      const { name, email, locale } = finalized.buyer;
      if (email === undefined) return [];
      return [
        {
          content: { kind: "invoice" },
          key: id,
          recipients: recipientsOf([email], settings.copies),
          customer: { id: customer, name, locale, timeZone },
          invoice: id,
        },
      ];
    });
    await this.#write(sql, organization, wanted);
  }

  /** Replaces what the mails to a customer say of it, in the transaction that erases it. */
  async customerErased(sql: Sql, customer: CustomerId): Promise<void> {
    await eraseMailsOf(sql, customer);
  }

  /** Writes what is new, and sends again what is there. @returns the ids in the order of the recipients */
  async #sendByHand(sql: Sql, organization: OrganizationId, wanted: WantedMail): Promise<MailId[]> {
    if ((await countQueued(sql, waiting_by_hand_max)) >= waiting_by_hand_max)
      throw tooManyWaiting(waiting_by_hand_max);
    const { content, key } = wanted;
    const recipients = wanted.recipients.map(({ recipient }) => recipient);
    const standing = await lockMailsTo(sql, { kind: content.kind, key, recipients });
    await this.#again(sql, organization, standing);
    const known = new Set(standing.map(({ recipient }) => recipient));
    const fresh = wanted.recipients.filter(({ recipient }) => !known.has(recipient));
    await this.#write(sql, organization, [{ ...wanted, recipients: fresh }]);
    const all = await lockMailsTo(sql, { kind: content.kind, key, recipients });
    return recipients.flatMap((of) => all.filter(({ recipient }) => recipient === of).map(({ id }) => id));
  }

  async #again(sql: Sql, organization: OrganizationId, mails: readonly Mail[]): Promise<void> {
    const { clocks, deliveryNoted } = this.#on;
    const at = clocks.of(organization).now();
    const reason = this.#suppressedBy(organization);
    const idsOf = (waiting: boolean) =>
      mails.filter(({ state }) => (state === "queued") === waiting).map(({ id }) => id);
    await makeDue(sql, idsOf(true), at);
    const state = reason === undefined ? "queued" : "suppressed";
    await sendAgain(sql, idsOf(false), { state, reason, at });
    const [first] = mails;
    if (first === undefined || reason !== undefined) return;
    // A clock may stand still: the wake is told from the earlier ones of the same mail.
    await deliveryNoted(
      sql,
      organization,
      `${first.id}:${first.state}:${first.sending}:${first.attempts}`,
      at,
    );
  }

  async #write(sql: Sql, organization: OrganizationId, wanted: readonly WantedMail[]): Promise<MailId[]> {
    const { clocks, deliveryNoted } = this.#on;
    const at = clocks.of(organization).now();
    const suppressedBy = this.#suppressedBy(organization);
    const written = await insertMails(
      sql,
      organization,
      wanted.flatMap((mail) => rowsOf(mail, suppressedBy, at)),
    );
    const [first] = written;
    if (first !== undefined && suppressedBy === undefined) await deliveryNoted(sql, organization, first, at);
    return written;
  }

  /** Why the organization's mails are recorded and not sent; undefined when they are. */
  #suppressedBy(organization: OrganizationId): string | undefined {
    const { from, testClocks, clocks } = this.#on;
    if (from === undefined) return "Weir has no SMTP server: set WEIR_SMTP_URL and WEIR_MAIL_FROM.";
    if (!testClocks && clocks.isTest(organization))
      return "The organization lives by a test clock, and sends no mail (WEIR_MAIL_TEST_CLOCKS).";
    return undefined;
  }

  async #audit(sql: Sql, caller: Caller, action: string, target: string, after: object): Promise<void> {
    const { organization } = caller;
    const at = this.#on.clock.now();
    await recordAudit(sql, { organization, actor: caller, action, target, before: undefined, after, at });
  }
}

async function settingsIn(sql: Sql, organization: OrganizationId): Promise<MailSettings> {
  return (await selectMailSettings(sql, organization)) ?? mail_settings_default;
}

async function mustRead(sql: Sql, id: string): Promise<Mail> {
  const [mail] = await readMails(sql, [id]);
  if (mail === undefined) throw unknownMail(id);
  return mail;
}
