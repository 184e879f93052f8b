import {
  adjustmentsOf,
  keyText,
  listCharges,
  targetOf,
  type Charge,
  type Contract,
  type Measured,
} from "../../src/billing/core/index.js";
import type { Instant } from "../../src/kernel/instant.js";

/**
 * All of it at once: what every charge that is due by an instant comes to by the contract and the usage as they are in
 * the end, by its key. In minor units.
 */
export function finalState(
  contract: Contract,
  { from, until }: { readonly from: Instant; readonly until: Instant },
  measure: (charge: Charge) => readonly Measured[],
): Map<string, bigint> {
  const { currency } = contract.subscription;
  const all = listCharges(contract, 0 as Instant, (until + 1) as Instant).filter(
    (charge) => charge.dueAt <= until,
  );
  const sums = new Map<string, bigint>();
  const nets = all.map((charge) => {
    const { netMinor } = targetOf(charge, charge.price.charge === "usage" ? measure(charge) : [], currency);
    sums.set(keyText(charge), netMinor);
    const { price, source, covered, dueAt } = charge;
    return { price, source, covered, dueAt, netMinor };
  });
  for (const one of adjustmentsOf(contract, nets, { from, to: (until + 1) as Instant, until })) {
    sums.set(keyText(one), (sums.get(keyText(one)) ?? 0n) + one.targetMinor);
  }
  return sums;
}

/** Sums by key in a fixed order, as text; what comes to nothing is left out. */
export function settledSums(sums: ReadonlyMap<string, bigint>): Map<string, string> {
  return new Map(
    [...sums]
      .filter(([, minor]) => minor !== 0n)
      .map(([key, minor]): [string, string] => [key, String(minor)])
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}
