import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { InvoiceId, OrganizationId, ProviderAccountId } from "../kernel/ids.js";
import type { Money } from "../kernel/money.js";
import { creditorReferenceOf, openAmount } from "./core/index.js";
import type { BillingPort } from "./ports.js";
import type { ReceivingAccount } from "./provider.js";
import type { ProviderAccounts } from "./provider-accounts.js";
import { listAccounts } from "./store/provider-accounts.js";
import { findReceivable } from "./store/receivables.js";

/** How an invoice can be paid by a transfer. */
export interface TransferInstructions extends ReceivingAccount {
  readonly account: ProviderAccountId;
  readonly reference: string;
  /** What is owed now. */
  readonly amount: Money;
  /** The text of a QR code; undefined when nothing is owed, or the account has none for it. */
  readonly code: string | undefined;
}

export interface PaymentInstructionsDependencies {
  readonly postgres: Postgres;
  readonly accounts: ProviderAccounts;
  readonly billing: BillingPort;
}

const accounts_max = 100;

/** What customers need who pay by themselves: where to, how much, and by which reference the payment is known again. */
export class PaymentInstructions {
  readonly #on: PaymentInstructionsDependencies;

  constructor(dependencies: PaymentInstructionsDependencies) {
    this.#on = dependencies;
  }

  /** One for each account that takes the invoice's currency, the oldest first; none for a draft, or where nothing was ever due. */
  async ofInvoice(organization: OrganizationId, invoice: InvoiceId): Promise<TransferInstructions[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => this.find(sql, invoice));
  }

  /** `ofInvoice` in a transaction. */
  async find(sql: Sql, invoice: InvoiceId): Promise<TransferInstructions[]> {
    const receivable = await findReceivable(sql, invoice);
    if (receivable === undefined || receivable.state === "void") return [];
    const { currency } = receivable;
    const accounts = (await listAccounts(sql, { limit: accounts_max })).filter(
      ({ archivedAt, currencies }) =>
        archivedAt === undefined && (currencies.length === 0 || currencies.includes(currency)),
    );
    const receiving = accounts.flatMap(({ id, provider, settings }) => {
      const { transfers } = this.#on.accounts.providerOf(provider);
      return transfers === undefined ? [] : [{ id, settings, transfers }];
    });
    if (receiving.length === 0) return [];
    const { number } = await this.#on.billing.invoice(sql, invoice);
    const structured = creditorReferenceOf(number);
    const reference =
      structured === undefined
        ? ({ kind: "text", value: number } as const)
        : ({ kind: "structured", value: structured } as const);
    const amount: Money = { currency, minor: openAmount(receivable) };
    return receiving.map(({ id, settings, transfers }) => ({
      account: id,
      ...transfers.accountOf(settings),
      reference: reference.value,
      amount,
      code: transfers.codeOf(settings, amount, reference),
    }));
  }
}
