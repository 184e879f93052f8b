import { Decimal } from "../../kernel/decimal.js";
import type { AmountPerCurrency, Commitment, Phase, PhaseLength, PlanVersion } from "../core/index.js";

type AmountsJson = Readonly<Record<string, string>>;

/** What a plan version agrees besides its prices, as it is stored: decimals as text, what is not agreed left out. */
export interface PlanTermsJson {
  readonly phases?: readonly {
    readonly key: string;
    readonly lasts?: PhaseLength;
    readonly discountPercent?: string;
  }[];
  readonly minimum?: AmountsJson;
  readonly maximum?: AmountsJson;
  readonly spendThreshold?: AmountsJson;
  readonly commitments?: readonly {
    readonly key: string;
    readonly name: string;
    readonly months: number;
    readonly amounts: AmountsJson;
  }[];
}

export type PlanTerms = Pick<
  PlanVersion,
  "phases" | "minimum" | "maximum" | "spendThreshold" | "commitments"
>;

/** Decimals write themselves as text, and JSON leaves out what is undefined. */
export function planTermsJson({ phases, minimum, maximum, spendThreshold, commitments }: PlanTerms): unknown {
  return { phases, minimum, maximum, spendThreshold, commitments };
}

export function planTermsFrom(json: PlanTermsJson): PlanTerms {
  return {
    phases: (json.phases ?? []).map(
      ({ key, lasts, discountPercent }): Phase => ({
        key,
        lasts,
        discountPercent: discountPercent === undefined ? undefined : Decimal.of(discountPercent),
      }),
    ),
    minimum: amountsFrom(json.minimum),
    maximum: amountsFrom(json.maximum),
    spendThreshold: amountsFrom(json.spendThreshold),
    commitments: (json.commitments ?? []).map(
      ({ amounts, ...rest }): Commitment => ({ ...rest, amounts: amountsFrom(amounts) ?? {} }),
    ),
  };
}

export function amountsFrom<T extends AmountsJson | undefined | null>(
  json: T,
): AmountPerCurrency | undefined {
  if (json === undefined || json === null) return undefined;
  return Object.fromEntries(Object.entries(json).map(([code, amount]) => [code, Decimal.of(amount)]));
}
