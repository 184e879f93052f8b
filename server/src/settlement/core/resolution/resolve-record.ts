import { err, ok, type Result } from "../../../kernel/result.js";
import { formatMoney, type Money } from "../../../kernel/money.js";
import {
  Books,
  claimOf,
  decideTarget,
  receipt,
  targetKindsByHand,
  type Allotment,
  type Effect,
  type MatchableRecord,
  type Target,
} from "../matching/index.js";

/** What a person says that money in suspense is. */
export type Meaning =
  | { readonly kind: "match"; readonly target: Target }
  | { readonly kind: "balance"; readonly customer: string }
  | { readonly kind: "book"; readonly effect: "fee" | "rounding" | "bad_debt" };

export interface NewPart extends Allotment {
  readonly claim: string | undefined;
}

export interface Resolved {
  readonly parts: readonly NewPart[];
  /** What it settles, so that nothing else does. */
  readonly claims: readonly string[];
}

/** Parts that were posted without payments, and so can be posted the other way round. */
const undoable: readonly Effect[] = ["suspense", "fee", "exchange"];

const minus = ({ currency, minor }: Money): Money => ({ currency, minor: -minor });

/**
 * The parts that give a record's money in suspense its meaning: what it is now, and the opposite of what it was, so that the record
 * still adds up to what it moved.
 *
 * @param parts      of the record, as they stand
 * @param suspended  the part that the exception is about
 * @returns          or why the money cannot be that, for the person who said so
 */
export function resolveRecord(
  record: MatchableRecord,
  parts: readonly (Allotment & { readonly part: number })[],
  suspended: number,
  meaning: Meaning,
): Result<Resolved, string> {
  const own = parts.find(({ part }) => part === suspended);
  if (own?.effect !== "suspense") return err("None of its money lies in suspense.");
  switch (meaning.kind) {
    case "match":
      return matched(record, parts, own, meaning.target);
    case "balance": {
      if (own.amount.minor <= 0n) return err("Only money that came in can be a customer's.");
      const target = { kind: "customer", id: meaning.customer } as const;
      return ok(renamed([own], [{ effect: "receipt", rule: "by_hand", amount: own.amount, target }]));
    }
    case "book":
      return ok(renamed([own], [{ effect: meaning.effect, rule: "by_hand", amount: own.amount }]));
  }
}

function matched(
  record: MatchableRecord,
  parts: readonly Allotment[],
  own: Allotment,
  target: Target,
): Result<Resolved, string> {
  if (!targetKindsByHand(record).includes(target.kind))
    return err(`A ${record.kind.replace("_", " ")} cannot be a ${target.kind}: ${target.id}.`);
  const waiting = parts.filter(({ effect }) => effect === "suspense");
  if (waiting.length !== 1 || !parts.every(({ effect }) => undoable.includes(effect)))
    return err(
      `Only ${formatMoney(own.amount)} of it lie in suspense, the rest of a record that matched: book them, or give them to a customer.`,
    );
  const books = new Books({ claimed: new Set(), pending: new Map() });
  const allotments =
    target.kind === "invoice"
      ? receipt(record, [target], "by_hand", books).allotments
      : decideTarget(record, target, "by_hand");
  const left = allotments.find(({ effect, target: named }) => effect === "suspense" && named === undefined);
  if (left !== undefined) return err(left.exception?.note ?? `It is not ${target.id}.`);
  // All of the record anew: its fee may be a part of what it is now.
  return ok(renamed(parts, allotments, claimOf(record, target)));
}

/** The opposite of what was, then what is; the first of these has the claim. */
function renamed(before: readonly Allotment[], after: readonly Allotment[], claim?: string): Resolved {
  const undone = before.map(
    ({ effect, amount }): NewPart => ({ effect, rule: "by_hand", amount: minus(amount), claim: undefined }),
  );
  const said = after.map(
    (part, index): NewPart => ({ ...part, rule: "by_hand", claim: index === 0 ? claim : undefined }),
  );
  return { parts: [...undone, ...said], claims: claim === undefined ? [] : [claim] };
}
