import { nodesOf, pageInfo } from "./connection.js";
import type { GraphQL, Repeatable } from "./graphql.js";

export type MailKind = "invoice" | "receipt" | "payment_failed" | "card_update" | "dunning_final" | "test";
/** suppressed: recorded and not sent, as of an organization with a test clock; `reason` says why. */
export type MailState = "queued" | "sent" | "failed" | "suppressed";

/** A mail to one recipient, and what became of it. */
export interface SentMail {
  readonly id: string;
  readonly kind: MailKind;
  readonly recipient: string;
  /** Of a blind copy: whom the mail itself went to. */
  readonly addressedTo: string | null;
  readonly state: MailState;
  /** Why it is not sent, or not yet. */
  readonly reason: string | null;
  /** What the SMTP server said last. */
  readonly reply: string | null;
  readonly sending: number;
  readonly attempts: number;
  readonly messageId: string | null;
  readonly invoice: string | null;
  readonly customer: string | null;
  readonly createdAt: string;
  readonly nextAttemptAt: string | null;
  readonly sentAt: string | null;
}

export interface MailFilter {
  readonly state?: MailState | undefined;
  readonly kind?: MailKind | undefined;
  /** Id or number. */
  readonly invoice?: string | undefined;
  /** Id or key. */
  readonly customer?: string | undefined;
}

export interface MailSettings {
  readonly fromName: string | null;
  readonly replyTo: string | null;
  readonly copies: readonly string[];
  readonly sendInvoices: boolean;
  /** Whether customers are told of their payments by themselves: receipts, failures, last reminders. */
  readonly sendPayments: boolean;
  /** Whether Weir has an SMTP server. */
  readonly server: boolean;
}

/** The settings are replaced as a whole: what is left out is Weir's default. */
export interface NewMailSettings {
  readonly fromName?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly copies?: readonly string[] | undefined;
  readonly sendInvoices?: boolean | undefined;
  readonly sendPayments?: boolean | undefined;
}

const selection =
  "{ id kind recipient addressedTo state reason reply sending attempts messageId invoice customer createdAt nextAttemptAt sentAt }";
const settingsSelection = "{ fromName replyTo copies sendInvoices sendPayments server }";

/** Mails to customers: what was sent, what waits, and how the organization writes. */
export class Mail {
  readonly #graphql: GraphQL;

  constructor(graphql: GraphQL) {
    this.#graphql = graphql;
  }

  /** Newest first, page by page. */
  list(filter: MailFilter = {}): AsyncGenerator<SentMail, void, void> {
    return nodesOf(
      this.#graphql,
      `query ($state: MailState, $kind: MailKind, $invoice: ID, $customer: String, $after: String) { connection: mails(state: $state, kind: $kind, invoice: $invoice, customer: $customer, first: 100, after: $after) { nodes ${selection} ${pageInfo} } }`,
      {
        state: filter.state ?? null,
        kind: filter.kind ?? null,
        invoice: filter.invoice ?? null,
        customer: filter.customer ?? null,
      },
    );
  }

  async find(id: string): Promise<SentMail | null> {
    const { mail } = await this.#graphql.run<{ mail: SentMail | null }>(
      `query ($id: ID!) { mail(id: $id) ${selection} }`,
      { id },
    );
    return mail;
  }

  async settings(): Promise<MailSettings> {
    const { mailSettings } = await this.#graphql.run<{ mailSettings: MailSettings }>(
      `{ mailSettings ${settingsSelection} }`,
    );
    return mailSettings;
  }

  /** @throws WeirError invalid-mail-settings */
  setSettings(settings: NewMailSettings, options: Repeatable = {}): Promise<MailSettings> {
    const args = {
      fromName: ["String", settings.fromName],
      replyTo: ["String", settings.replyTo],
      copies: ["[String!]", settings.copies],
      sendInvoices: ["Boolean", settings.sendInvoices],
      sendPayments: ["Boolean", settings.sendPayments],
    } as const;
    return this.#graphql.mutate("setMailSettings", args, settingsSelection, options);
  }

  /**
   * Sends a finalized invoice, by id or number; to the customer's address when no other is given.
   * @throws WeirError invoice-not-found; invoice-not-finalized; invalid-mail; mail-not-configured
   */
  sendInvoice(
    invoice: string,
    to?: readonly string[],
    options: Repeatable = {},
  ): Promise<readonly SentMail[]> {
    const args = { invoice: ["ID!", invoice], to: ["[String!]", to] } as const;
    return this.#graphql.mutate("sendInvoice", args, selection, options);
  }

  /** @throws WeirError mail-not-found; customer-erased; mail-not-configured */
  resend(id: string, options: Repeatable = {}): Promise<SentMail> {
    return this.#graphql.mutate("resendMail", { id: ["ID!", id] }, selection, options);
  }

  /** @throws WeirError invalid-mail; mail-not-configured */
  sendTest(to: string, options: Repeatable = {}): Promise<SentMail> {
    return this.#graphql.mutate("sendTestMail", { to: ["String!", to] }, selection, options);
  }
}
