import type { Money } from "@weir/sdk";

/** What amounts come to, in each currency, in major units. */
export function totalsOf(
  amounts: readonly Money[],
): { readonly currency: string; readonly amount: string }[] {
  const sums = new Map<string, { minor: bigint; decimals: number }>();
  for (const { currency, minor, amount } of amounts) {
    const known = sums.get(currency) ?? { minor: 0n, decimals: amount.split(".")[1]?.length ?? 0 };
    sums.set(currency, { ...known, minor: known.minor + BigInt(minor) });
  }
  return [...sums]
    .map(([currency, { minor, decimals }]) => ({ currency, amount: inMajorUnits(minor, decimals) }))
    .sort((one, other) => (one.currency < other.currency ? -1 : 1));
}

function inMajorUnits(minor: bigint, decimals: number): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(decimals + 1, "0");
  const sign = minor < 0n ? "-" : "";
  return decimals === 0
    ? `${sign}${digits}`
    : `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}
