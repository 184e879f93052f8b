/** A delay that doubles with each failure up to a bound; `random` in [0, 1) spreads it over its upper half. */
export function backOffMs(failures: number, firstMs: number, boundMs: number, random: number): number {
  const full = Math.min(boundMs, firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  return full / 2 + (full / 2) * random;
}
