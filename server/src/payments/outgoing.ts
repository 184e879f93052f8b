import type { Instant } from "../kernel/instant.js";
import type { Money } from "../kernel/money.js";
import type {
  DisputeId,
  OrganizationId,
  PaymentAttemptId,
  ProviderAccountId,
  RefundId,
} from "../kernel/ids.js";
import type { BatchItem } from "./store/batch-items.js";
import type { BatchTotal } from "./store/batches.js";

/** Through which account something goes out. */
export interface OutgoingAccount {
  readonly organization: OrganizationId;
  readonly id: ProviderAccountId;
  readonly settings: Readonly<Record<string, string>>;
}

/** Something that is to go out in a file. */
export interface NewOutgoingItem {
  readonly action: BatchItem["action"];
  readonly subject: PaymentAttemptId | RefundId | DisputeId;
  /** Names it in the answers: at most 64 characters, unique in the account. */
  readonly reference: string;
  readonly amount: Money;
  /** What else the file says of it, such as a token: it rests sealed. */
  readonly details: Readonly<Record<string, string>>;
}

export interface OutgoingItem extends NewOutgoingItem {
  readonly state: BatchItem["state"];
  /** In the file, from 1, once it was sent. */
  readonly position: number | undefined;
}

/**
 * What goes out by files: the ability of a provider that has no network. Its items wait in the open batch of their account; when
 * that is closed, `render` makes the file.
 */
export interface OutgoingFiles {
  /** text/csv */
  readonly mediaType: string;
  /** csv */
  readonly extension: string;
  /** When a batch that is opened now is closed by itself; undefined when people close it. */
  closesAt(settings: OutgoingAccount["settings"], now: Instant): Instant | undefined;
  /** The number of the account's first batch. */
  firstSequence(settings: OutgoingAccount["settings"]): bigint;
  /** Without its extension: letters, digits, "-" and "_". */
  fileName(batch: ClosedBatch): string;
  /** Pure: the same batch and items give the same text. */
  render(batch: ClosedBatch, items: AsyncIterable<OutgoingItem>): AsyncIterable<string>;
}

/** A batch of which nothing changes any more. */
export interface ClosedBatch {
  readonly id: string;
  readonly sequence: bigint;
  readonly closedAt: Instant;
  /** Of the account, as they were when it was closed. */
  readonly settings: OutgoingAccount["settings"];
  readonly items: number;
  readonly totals: readonly BatchTotal[];
}

/** Where providers put what goes out. Each call commits by itself; the same again changes nothing. */
export interface OutgoingQueue {
  /** Writes an item down, in no batch yet. @returns the subject's item: the one that there is, if any */
  reserve(account: OutgoingAccount, item: NewOutgoingItem): Promise<OutgoingItem>;
  /** Puts it into the open batch. One that waits there already gets these details; one that was sent or withdrawn stays as it is. */
  queue(account: OutgoingAccount, files: OutgoingFiles, item: NewOutgoingItem): Promise<OutgoingItem>;
  find(account: OutgoingAccount, subject: NewOutgoingItem["subject"]): Promise<OutgoingItem | undefined>;
  /** Sees to it that it never goes, unless it was sent. */
  withdraw(account: OutgoingAccount, subject: NewOutgoingItem["subject"]): Promise<OutgoingItem | undefined>;
}
