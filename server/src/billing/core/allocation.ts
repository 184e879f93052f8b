/**
 * Splits an amount by weights, in whole minor units: each part is its share rounded down, and the units that are left go
 * to the largest remainders, of equals to the first. The parts add up to the amount.
 *
 * @param amount   of any sign
 * @param weights  zero or more; when all are zero the first takes everything
 * @throws RangeError when there is no weight, or one is below zero
 */
export function allocate(amount: bigint, weights: readonly bigint[]): bigint[] {
  if (weights.length === 0) throw new RangeError("an amount cannot be split over nothing");
  if (weights.some((weight) => weight < 0n)) throw new RangeError("a weight is zero or more");
  if (amount < 0n) return allocate(-amount, weights).map((part) => -part);
  const whole = weights.reduce((sum, weight) => sum + weight, 0n);
  if (whole === 0n) return weights.map((_, index) => (index === 0 ? amount : 0n));
  const parts = weights.map((weight) => (amount * weight) / whole);
  let left = amount - parts.reduce((sum, part) => sum + part, 0n);
  const byRemainder = weights
    .map((weight, index) => ({ index, remainder: (amount * weight) % whole }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  for (const { index } of byRemainder) {
    if (left === 0n) break;
    parts[index] = (parts[index] ?? 0n) + 1n;
    left -= 1n;
  }
  return parts;
}
