import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { displayNameOf, parseEmailAddress } from "../kernel/email-address.js";
import { newId, type CustomerId, type InvoiceId, type MailId, type OrganizationId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { TimeZone } from "../kernel/time-zone.js";
import { checkMailSettings, checkQueued, checkRecipients, type NewMailSettings } from "./check-mail.js";
import { messageIdOf, type MailContent } from "./core/index.js";
import type { DeliveryNoted } from "./mail-delivery.js";
import {
  mail_settings_default,
  selectMailSettings,
  upsertMailSettings,
  type MailSettings,
} from "./store/mail-settings.js";
import {
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

/** Whom a mail is about, as far as the mail names it. */
export interface MailedCustomer {
  readonly id: CustomerId;
  readonly name: string;
  readonly email: string | undefined;
  readonly locale: string | undefined;
  readonly timeZone: TimeZone;
}

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
  readonly customerOf: (organization: OrganizationId, id: CustomerId) => Promise<MailedCustomer>;
  readonly deliveryNoted: DeliveryNoted;
}

/** A mail as another domain has it sent. */
export interface NewMail {
  readonly content: Exclude<MailContent, { kind: "invoice" }>;
  /** What it is about, such as "pat_…:declined": a recipient is told it once, however often it is queued. */
  readonly key: string;
  /** 1 to 10 addresses. */
  readonly to: readonly string[];
  readonly customer?: Pick<MailedCustomer, "id" | "name" | "locale" | "timeZone">;
  readonly invoice?: InvoiceId;
}

/** A mail to a customer that another domain has sent where the organization wants its customers told of their payments. */
export interface CustomerMail {
  readonly content: NewMail["content"];
  /** As of `NewMail`. */
  readonly key: string;
  readonly customer: MailedCustomer;
  readonly invoice: InvoiceId | undefined;
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
    const found = await this.#on.postgres.inOrganization(organization, (sql) =>
      selectMailSettings(sql, organization),
    );
    return found ?? mail_settings_default;
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
   * @returns a mail for each recipient
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
    this.#refuseWithoutServer();
    const customer = await customerOf(organization, invoice.customer);
    const own = customer.email ?? invoice.finalized.buyer.email;
    if (input.to === undefined && own === undefined) throw noAddress(customer.name);
    const recipients = checkRecipients(input.to ?? [own ?? ""]);
    const wanted: WantedMail = {
      content: { kind: "invoice" },
      key: invoice.id,
      recipients: recipients.map((recipient) => ({ recipient, addressedTo: undefined })),
      customer,
      invoice: invoice.id,
    };
    return postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "mail.send_invoice", input };
      const ids = await runOnce(sql, request, async () => {
        const sent = await this.#sendByHand(sql, organization, wanted);
        await this.#audit(sql, caller, "mail.send_invoice", invoice.id, { mails: sent });
        return sent;
      });
      return inOrder(ids, await readMails(sql, ids));
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
        this.#refuseWithoutServer();
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
    this.#refuseWithoutServer();
    const [recipient = ""] = checkRecipients([input.to]);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "mail.test", input };
      const id = await runOnce(sql, request, async () => {
        const wanted: WantedMail = {
          content: { kind: "test" },
          key: newId("req", this.#on.clock.now()),
          recipients: [{ recipient, addressedTo: undefined }],
        };
        const [sent] = await this.#sendByHand(sql, organization, wanted);
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
   * @throws Refusal 400 for an address that is none; RangeError for a content that no mail can have
   */
  async queue(sql: Sql, organization: OrganizationId, mail: NewMail): Promise<MailId[]> {
    checkQueued(mail.key, mail.content);
    const { copies } = (await selectMailSettings(sql, organization)) ?? mail_settings_default;
    const recipients = withCopies(checkRecipients(mail.to), copies);
    return this.#write(sql, organization, [{ ...mail, recipients }]);
  }

  /** Whether the organization has its customers told of their payments by mail. */
  async tellsOfPayments(sql: Sql, organization: OrganizationId): Promise<boolean> {
    return (await selectMailSettings(sql, organization))?.sendPayments ?? false;
  }

  /**
   * Queues a mail to a customer in the caller's transaction, where the organization wants its customers told of their payments. A
   * customer without an address gets none; one with an address that is none, a failed one.
   * @throws RangeError for a content that no mail can have
   */
  async tell(sql: Sql, organization: OrganizationId, mail: CustomerMail): Promise<void> {
    const { content, key, customer, invoice } = mail;
    checkQueued(key, content);
    const settings = await selectMailSettings(sql, organization);
    if (settings?.sendPayments !== true || customer.email === undefined) return;
    const recipients = recipientsOf(customer.email, settings.copies);
    await this.#write(sql, organization, [{ content, key, recipients, customer, invoice }]);
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
      const recipients = recipientsOf(email, settings.copies);
      return [
        {
          content: { kind: "invoice" },
          key: id,
          recipients,
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

  /** Writes what is new, and sends again what is there. */
  async #sendByHand(sql: Sql, organization: OrganizationId, wanted: WantedMail): Promise<MailId[]> {
    const recipients = wanted.recipients.map(({ recipient }) => recipient);
    await this.#refuseTooMany(sql);
    const standing = await lockMailsTo(sql, { kind: wanted.content.kind, key: wanted.key, recipients });
    await this.#again(sql, organization, standing);
    const known = new Set(standing.map(({ recipient }) => recipient));
    const written = await this.#write(sql, organization, [
      { ...wanted, recipients: wanted.recipients.filter(({ recipient }) => !known.has(recipient)) },
    ]);
    return [...standing.map(({ id }) => id), ...written];
  }

  async #again(sql: Sql, organization: OrganizationId, mails: readonly Mail[]): Promise<void> {
    const at = this.#on.clocks.of(organization).now();
    const [waiting, ended] = [
      mails.filter(({ state }) => state === "queued"),
      mails.filter(({ state }) => state !== "queued"),
    ];
    const idsOf = (of: readonly Mail[]) => of.map(({ id }) => id);
    if (waiting.length > 0) await makeDue(sql, idsOf(waiting), at);
    if (ended.length > 0) {
      const reason = this.#suppressedBy(organization);
      const state = reason === undefined ? "queued" : "suppressed";
      await sendAgain(sql, idsOf(ended), { state, reason, at });
    }
    const [first] = mails;
    if (first !== undefined && this.#suppressedBy(organization) === undefined)
      await this.#on.deliveryNoted(sql, organization, first.id, at);
  }

  async #write(sql: Sql, organization: OrganizationId, wanted: readonly WantedMail[]): Promise<MailId[]> {
    const at = this.#on.clocks.of(organization).now();
    const suppressedBy = this.#suppressedBy(organization);
    const mails = wanted.flatMap(({ content, key, recipients, customer, invoice }) =>
      recipients.map(({ recipient, addressedTo, fault }): Mail => {
        const state = fault !== undefined ? "failed" : suppressedBy === undefined ? "queued" : "suppressed";
        return {
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
          state,
          reason: fault ?? suppressedBy,
          reply: undefined,
          sending: 1,
          attempts: 0,
          createdAt: at,
          queuedAt: at,
          dueAt: at,
          sentAt: undefined,
        };
      }),
    );
    const written = await insertMails(sql, organization, mails);
    const [first] = written;
    if (first !== undefined && suppressedBy === undefined)
      await this.#on.deliveryNoted(sql, organization, first, at);
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

  #refuseWithoutServer(): void {
    if (this.#on.from !== undefined) return;
    const detail = "Whoever runs Weir sets WEIR_SMTP_URL (smtp://user:password@host:587) and WEIR_MAIL_FROM.";
    throw new Refusal(makeProblem("mail-not-configured", 409, "Weir has no SMTP server", detail));
  }

  async #refuseTooMany(sql: Sql): Promise<void> {
    const waiting = await listMails(sql, { state: "queued", limit: waiting_by_hand_max });
    if (waiting.length < waiting_by_hand_max) return;
    const detail = `${waiting_by_hand_max} mails are waiting to be delivered. Wait until some are sent: weir mail list --state queued`;
    throw new Refusal(makeProblem("too-many-mails", 409, "Too many mails wait", detail));
  }

  async #audit(sql: Sql, caller: Caller, action: string, target: string, after: object): Promise<void> {
    const { organization } = caller;
    const at = this.#on.clock.now();
    await recordAudit(sql, { organization, actor: caller, action, target, before: undefined, after, at });
  }
}

interface WantedMail {
  readonly content: MailContent;
  readonly key: string;
  readonly recipients: readonly WantedRecipient[];
  readonly customer?: Pick<MailedCustomer, "id" | "name" | "locale" | "timeZone"> | undefined;
  readonly invoice?: InvoiceId | undefined;
}

interface WantedRecipient {
  readonly recipient: string;
  readonly addressedTo: string | undefined;
  /** Why nothing can be sent to it. */
  readonly fault?: string;
}

/** The customer and who gets copies; where its address is none, a mail that says so. */
function recipientsOf(email: string, copies: readonly string[]): WantedRecipient[] {
  const address = parseEmailAddress(email.trim());
  if (address !== undefined) return withCopies([address], copies);
  return [
    { recipient: email, addressedTo: undefined, fault: "This is no address that mail can be sent to." },
  ];
}

/** The recipients, and for the first of them the blind copies; nobody twice. */
function withCopies(to: readonly string[], copies: readonly string[]): WantedRecipient[] {
  const [first] = to;
  return [
    ...to.map((recipient) => ({ recipient, addressedTo: undefined })),
    ...copies.filter((copy) => !to.includes(copy)).map((recipient) => ({ recipient, addressedTo: first })),
  ];
}

function inOrder(ids: readonly string[], mails: readonly Mail[]): Mail[] {
  const byId = new Map<string, Mail>(mails.map((mail) => [mail.id, mail]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

async function mustRead(sql: Sql, id: string): Promise<Mail> {
  const [mail] = await readMails(sql, [id]);
  if (mail === undefined) throw unknownMail(id);
  return mail;
}

function unknownMail(id: string): Refusal {
  const detail = `There is no mail "${id.slice(0, 64)}".`;
  return new Refusal(makeProblem("mail-not-found", 404, "No such mail", detail));
}

function notFinalized(id: InvoiceId): Refusal {
  const detail = `Invoice ${id} is a draft. It can be sent once it is final: weir invoices finalize ${id}`;
  return new Refusal(makeProblem("invoice-not-finalized", 409, "The invoice is a draft", detail));
}

function noAddress(customer: string): Refusal {
  const detail = `${customer} has no e-mail address. Name one (to), or give it one: weir customers update … --email`;
  const errors = [{ field: "to", message: "at least one address" }];
  return new Refusal(makeProblem("invalid-mail", 400, "The mail has no recipient", detail, { errors }));
}

function erased(id: MailId): Refusal {
  const detail = `Mail ${id} was to a customer that was erased since.`;
  return new Refusal(makeProblem("customer-erased", 409, "The customer was erased", detail));
}
