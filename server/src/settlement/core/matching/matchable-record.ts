import type { Instant } from "../../../kernel/instant.js";
import type { Money } from "../../../kernel/money.js";
import type { RecordKind } from "../settlement-record.js";

/** Whose account the file is of: a provider's, which owes us, or our own at a bank. */
export type Side = "provider" | "bank";

/** What matching looks at of a record. */
export interface MatchableRecord {
  /** Its number in the file, from 1. */
  readonly position: number;
  readonly kind: RecordKind;
  readonly side: Side;
  /** In the currency that our books have it in, as our account with the sender sees it: + is to our credit. */
  readonly gross: Money;
  /** What moved on that account, where that is another currency. */
  readonly settled: Money | undefined;
  /** + is our cost. */
  readonly fee: Money | undefined;
  readonly at: Instant;
  /** What it says that it belongs to, the surest first. */
  readonly references: readonly string[];
  /** What the payer wrote. */
  readonly text: string | undefined;
  readonly counterparty: string | undefined;
  /** The sender takes back an earlier movement of the kind. */
  readonly isReversal: boolean;
  /** Its key came before: earlier in this file, or, with other amounts, in a file that is in the books. */
  readonly repeats: "in_file" | "otherwise" | undefined;
}

/** What moved on our account with the sender, without the fee. */
export function movedBy({ gross, settled }: Pick<MatchableRecord, "gross" | "settled">): Money {
  return settled ?? gross;
}
