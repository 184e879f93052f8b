import type { CreditGrantId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { CreditGrant, CreditKind } from "./credit-grant.js";

/** How much of a grant is drawn. */
export interface GrantDraw {
  readonly grant: CreditGrantId;
  readonly kind: CreditKind;
  /** Above zero. */
  readonly amount: bigint;
}

/**
 * Whether a grant may pay for a service period: when it is valid in the period's last instant. The period is half-open, so
 * a grant that expires exactly at its end still counts, one that begins there counts for the next period only: with
 * consecutive periods every instant of a grant's life belongs to exactly one of them.
 */
export function isEligible(
  grant: Pick<CreditGrant, "effectiveFrom" | "expiresAt">,
  serviceEnd: Instant,
): boolean {
  return grant.effectiveFrom < serviceEnd && (grant.expiresAt === undefined || grant.expiresAt >= serviceEnd);
}

/**
 * What is drawn from which grants for an amount: lowest priority first, then what expires first, then promotional before
 * paid, then the oldest.
 *
 * @param due         in minor units; nothing is drawn for zero and below
 * @param serviceEnd  the end of the service period that is paid for
 * @param kind        only grants of this kind when given
 */
export function selectGrants(
  grants: readonly CreditGrant[],
  { due, serviceEnd, kind }: { due: bigint; serviceEnd: Instant; kind?: CreditKind },
): GrantDraw[] {
  const draws: GrantDraw[] = [];
  let left = due;
  const eligible = grants.filter(
    (grant) => (kind === undefined || grant.kind === kind) && isEligible(grant, serviceEnd),
  );
  for (const grant of eligible.sort(compareGrants)) {
    if (left <= 0n) break;
    const amount = grant.remaining < left ? grant.remaining : left;
    if (amount <= 0n) continue;
    draws.push({ grant: grant.id, kind: grant.kind, amount });
    left -= amount;
  }
  return draws;
}

/** The order in which grants are used. */
export function compareGrants(one: CreditGrant, other: CreditGrant): number {
  if (one.priority !== other.priority) return one.priority - other.priority;
  const expiry = (one.expiresAt ?? Infinity) - (other.expiresAt ?? Infinity);
  if (expiry !== 0 && !Number.isNaN(expiry)) return expiry;
  if (one.kind !== other.kind) return one.kind === "promotional" ? -1 : 1;
  if (one.createdAt !== other.createdAt) return one.createdAt - other.createdAt;
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}
