/** An invoice's line as far as it can be credited, in minor units. */
export interface CreditableLine {
  readonly id: string;
  /** What was charged for it: after discounts and promotional credits, without tax. */
  readonly taxable: bigint;
  readonly tax: bigint;
  /** What credit notes gave back of it before. */
  readonly creditedNet: bigint;
  readonly creditedTax: bigint;
}

export interface CreditRequest {
  readonly line: string;
  /** Without tax, above zero; all that is left when left out. */
  readonly minor?: bigint;
}

export interface CreditedLine {
  readonly line: string;
  readonly net: bigint;
  readonly tax: bigint;
}

export interface CreditFault {
  readonly line: string;
  readonly message: string;
  /** What could be credited at most, without tax. */
  readonly left: bigint;
}

export type CreditDecision =
  | { readonly ok: true; readonly lines: readonly CreditedLine[] }
  | { readonly ok: false; readonly faults: readonly CreditFault[] };

/**
 * What is given back of each line: never more than was charged, with the tax that it bore. Tax is cumulative, so that the
 * credit notes of a line that is given back bit by bit add up to its tax.
 */
export function decideCredits(
  lines: readonly CreditableLine[],
  requests: readonly CreditRequest[],
): CreditDecision {
  const byId = new Map(lines.map((line) => [line.id, line]));
  const faults: CreditFault[] = [];
  const credited: CreditedLine[] = [];
  const seen = new Set<string>();
  for (const { line: id, minor } of requests) {
    const line = byId.get(id);
    const left = line === undefined ? 0n : line.taxable - line.creditedNet;
    const fault = (message: string) => void faults.push({ line: id, message, left: left > 0n ? left : 0n });
    if (line === undefined) fault("is not a line of the invoice");
    else if (seen.has(id)) fault("is named twice");
    else if (line.taxable <= 0n) fault("costs nothing, so there is nothing to give back");
    else if (left <= 0n) fault("has been given back in full");
    else if (minor !== undefined && minor <= 0n) fault("must be given back an amount above zero");
    else if (minor !== undefined && minor > left) fault("would be given back more than was charged");
    else {
      const net = minor ?? left;
      const taxInAll = shareRounded(line.tax, line.creditedNet + net, line.taxable);
      credited.push({ line: id, net, tax: taxInAll - line.creditedTax });
    }
    seen.add(id);
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, lines: credited };
}

/** amount × part ÷ whole, half away from zero; all of it for the whole. */
function shareRounded(amount: bigint, part: bigint, whole: bigint): bigint {
  const twice = 2n * amount * part;
  return twice < 0n ? -((-twice + whole) / (2n * whole)) : (twice + whole) / (2n * whole);
}
