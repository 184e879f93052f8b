import type { Sql } from "../engines/postgres/index.js";
import type { Currency } from "../kernel/currency.js";
import type { OrganizationId, ProviderAccountId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Money } from "../kernel/money.js";
import type {
  AmountAnswer,
  AmountQuestion,
  FoundTarget,
  Side,
  Target,
  TargetKind,
} from "./core/matching/index.js";
import type { ActionOutcome, PaymentsAction, PaymentsActionKind } from "./core/posting/index.js";

/** An account whose sender reports by files. */
export interface SettlementAccount {
  readonly id: ProviderAccountId;
  readonly key: string;
  readonly name: string;
  readonly provider: string;
  /** A bank's statements are about our own account there, a provider's files about what it owes us. */
  readonly side: Side;
  /** What the sender's files call it, such as an IBAN or a merchant account; empty when that is not known. */
  readonly identifiers: readonly string[];
}

export const book_lines = ["charges", "refunds", "fees", "disputes", "payouts", "transfers"] as const;
export type BookLine = (typeof book_lines)[number];

/** An action that was done for a person, as it is kept. */
export interface DoneAction {
  readonly key: string;
  readonly kind: PaymentsActionKind;
  /** What it was about: a payout, say. */
  readonly target: string | null;
}

/** What payments moved of one kind and currency in a time, signed as our account with the provider sees it. */
export interface BookSum {
  readonly line: BookLine;
  readonly currency: Currency;
  readonly count: number;
  readonly minor: bigint;
}

/** Something of ours that a file should have told of: an attempt is a charge that went out by a file. */
export interface OpenMovement {
  readonly kind: "payment" | "attempt" | "payout";
  readonly id: string;
  /** As in Target. */
  readonly root: string;
  readonly account: ProviderAccountId;
  readonly amount: Money;
  readonly at: Instant;
}

export interface MovementPage {
  readonly from: Instant;
  /** Exclusive. */
  readonly to: Instant;
  /** The last of the page before: in the order of time and id. */
  readonly after?: Pick<OpenMovement, "at" | "id"> | undefined;
  readonly limit: number;
}

/**
 * What settlement asks of payments, and tells them. Everything runs in the caller's transaction, which is bound to the
 * organization, and takes many at once in a few statements: a file has a million records.
 */
export interface SettlementPayments {
  /** By id or key; also one that is archived, whose last files are still to come. */
  findAccount(sql: Sql, idOrKey: string): Promise<SettlementAccount | undefined>;
  listAccounts(sql: Sql): Promise<readonly SettlementAccount[]>;

  /**
   * Things of ours, of these kinds, that are named by these texts; of one text the first kind that has any is enough, and three of
   * it. On a provider's account: what went through that account, by our id, the provider's, or a card's acquirer reference
   * number; a succeeded attempt's id names its payment. On a bank's account: payouts of any account of ours, invoices by id,
   * number or structured reference, refunds of what came in there, and transfers that came in there by the invoices that they paid.
   * @param references  at most 100,000
   */
  findByReference(
    sql: Sql,
    account: SettlementAccount,
    kinds: readonly TargetKind[],
    references: readonly string[],
  ): Promise<readonly FoundTarget[]>;

  /** What of ours is of these amounts, by the same reach; three of a question are enough. @param questions at most 10,000 */
  findByAmount(
    sql: Sql,
    account: SettlementAccount,
    questions: readonly AmountQuestion[],
  ): Promise<readonly AmountAnswer[]>;

  /** By our id, or an invoice's number: for a person who names it. Of any account. */
  findTarget(sql: Sql, idOrNumber: string): Promise<Target | undefined>;
  /** By id or key. */
  findCustomer(
    sql: Sql,
    idOrKey: string,
  ): Promise<{ readonly id: string; readonly name: string } | undefined>;

  /**
   * Does what a file told, each at most once by its key: changes payments' tables and posts. On the provider's account it moves
   * `provider_clearing` by exactly what the action says, on a bank's `cash`.
   * @param cause  the id that postings refer to: the file's, or the exception's that a person resolved
   */
  apply(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    actions: readonly PaymentsAction[],
    cause: string,
  ): Promise<readonly ActionOutcome[]>;

  /** Takes back what a person had it do. @throws Refusal 409 for what cannot be, or something was built on since, such as a refund */
  undo(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    actions: readonly DoneAction[],
    cause: string,
  ): Promise<void>;

  /** What payments have in [from, to), by the time it happened. */
  sumBooks(
    sql: Sql,
    account: SettlementAccount,
    period: { readonly from: Instant; readonly to: Instant },
  ): Promise<readonly BookSum[]>;
  /** Money that was taken through an account, or that its files went out for, which its files should tell of by now. */
  listCaptured(sql: Sql, account: SettlementAccount, page: MovementPage): Promise<readonly OpenMovement[]>;
  /** Payouts that left before `to` and are not on a bank's statement. */
  listInTransit(sql: Sql, page: MovementPage): Promise<readonly OpenMovement[]>;
}
