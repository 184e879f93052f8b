import {
  isEligible,
  selectGrants,
  type CreditGrant,
  type CreditKind,
  type GrantDraw,
} from "../../credits/index.js";
import type { Postgres, Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { CreditGrantId, CustomerId, InvoiceId, OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { codeOf, type Posting, type PostingOutcome } from "../../ledger/index.js";
import type { Funds as Available } from "../core/index.js";

/** The ledger as invoices use it. */
export interface LedgerPort {
  post(
    sql: Sql,
    organization: OrganizationId,
    postings: readonly Posting[],
  ): Promise<readonly PostingOutcome[]>;
  balancesOf(
    sql: Sql,
    accounts: readonly { readonly code: string; readonly currency: Currency }[],
    options?: { readonly hold?: boolean },
  ): Promise<ReadonlyMap<string, bigint>>;
}

/** Credits as invoices use them; see GrantDraws. */
export interface CreditsPort {
  lockGrants(
    sql: Sql,
    of: readonly { readonly customer: CustomerId; readonly currency: Currency }[],
  ): Promise<readonly CreditGrant[]>;
  applyGrants(
    sql: Sql,
    organization: OrganizationId,
    uses: readonly { readonly grant: CreditGrantId; readonly invoice: InvoiceId; readonly amount: bigint }[],
    at: Instant,
  ): Promise<void>;
  restoreGrants(
    sql: Sql,
    organization: OrganizationId,
    invoices: readonly InvoiceId[],
    at: Instant,
  ): Promise<unknown>;
}

export interface FundsDependencies {
  readonly postgres: Postgres;
  readonly ledger: LedgerPort;
  readonly credits: CreditsPort;
}

/** Whose invoice, in which currency. */
export interface Payment {
  readonly payer: CustomerId;
  readonly currency: Currency;
}

/**
 * What payers have to pay with: credit grants and balances. Invoices of one payer take from it one after the other.
 */
export class Funds {
  readonly #grants: CreditGrant[];
  readonly #balances: Map<string, bigint>;

  constructor(grants: readonly CreditGrant[], balances: ReadonlyMap<string, bigint>) {
    this.#grants = [...grants];
    this.#balances = new Map(balances);
  }

  /** Holds them until the transaction ends. */
  static async hold(
    sql: Sql,
    { ledger, credits }: Omit<FundsDependencies, "postgres">,
    payments: readonly Payment[],
  ): Promise<Funds> {
    const distinct = [...new Map(payments.map((one) => [`${one.payer} ${one.currency}`, one])).values()];
    const grants = await credits.lockGrants(
      sql,
      distinct.map(({ payer, currency }) => ({ customer: payer, currency })),
    );
    const accounts = distinct.map((one) => ({ code: balanceCode(one), currency: one.currency }));
    return new Funds(grants, await ledger.balancesOf(sql, accounts, { hold: true }));
  }

  /** What there is for an invoice whose service ends at an instant. */
  availableFor(payment: Payment, serviceEnd: Instant): Available {
    const grants = this.#grantsOf(payment).filter((grant) => isEligible(grant, serviceEnd));
    const sumOf = (kind: CreditKind) =>
      grants.reduce((sum, grant) => (grant.kind === kind ? sum + grant.remaining : sum), 0n);
    const balance = this.#balances.get(balanceKey(payment)) ?? 0n;
    return {
      promotional: sumOf("promotional"),
      paid: sumOf("paid"),
      balance: balance > 0n ? balance : 0n,
    };
  }

  /** Takes what an invoice uses, and adds what it gives back. */
  take(
    payment: Payment,
    serviceEnd: Instant,
    used: { promotional: bigint; paid: bigint; balance: bigint; toBalance: bigint },
  ): GrantDraw[] {
    const grants = this.#grantsOf(payment);
    const draws = [
      ...selectGrants(grants, { due: used.promotional, serviceEnd, kind: "promotional" }),
      ...selectGrants(grants, { due: used.paid, serviceEnd, kind: "paid" }),
    ];
    for (const { grant: id, amount } of draws) {
      const index = this.#grants.findIndex((grant) => grant.id === id);
      const grant = this.#grants[index];
      if (grant !== undefined) this.#grants[index] = { ...grant, remaining: grant.remaining - amount };
    }
    const key = balanceKey(payment);
    this.#balances.set(key, (this.#balances.get(key) ?? 0n) - used.balance + used.toBalance);
    return draws;
  }

  #grantsOf({ payer, currency }: Payment): CreditGrant[] {
    return this.#grants.filter((grant) => grant.customer === payer && grant.currency === currency);
  }
}

function balanceCode({ payer }: Payment): string {
  return codeOf({ kind: "customer_balance", customer: payer });
}

function balanceKey(payment: Payment): string {
  return `${balanceCode(payment)} ${payment.currency}`;
}
