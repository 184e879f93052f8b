/** What is known of the money of one invoice, in minor units of its currency. */
export interface ReceivableSums {
  /** What the invoice came to when it was finalized. */
  readonly due: bigint;
  /** Taken off by credit notes. */
  readonly credited: bigint;
  /** Paid towards it, less what was refunded so that it is owed again. */
  readonly paid: bigint;
  readonly writtenOff: bigint;
}

export type ReceivableState = "open" | "paid" | "uncollectible" | "void";

/** What is owed still: below zero never. */
export function openAmount({ due, credited, paid, writtenOff }: ReceivableSums): bigint {
  const open = due - credited - paid - writtenOff;
  return open > 0n ? open : 0n;
}

/** The state that sums come to; a void one stays. */
export function receivableState(sums: ReceivableSums): Exclude<ReceivableState, "void"> {
  if (openAmount(sums) > 0n) return "open";
  return sums.writtenOff > 0n ? "uncollectible" : "paid";
}

/** How a payment is spread: what an invoice takes of it, and what is too much. */
export function allocate(sums: ReceivableSums, amount: bigint): { applied: bigint; excess: bigint } {
  const open = openAmount(sums);
  const applied = amount < open ? amount : open;
  return { applied, excess: amount - applied };
}
