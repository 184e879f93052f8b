import type { CliContext } from "./context.js";
import { printTable } from "./print.js";

/** A price as GraphQL gives it. */
export interface Price {
  readonly key: string;
  readonly charge: string;
  readonly timing: string;
  readonly interval: string;
  readonly meter: string | null;
  readonly included: string | null;
  /** One model by name: {graduated: {per, tiers}}. */
  readonly model: Readonly<Record<string, unknown>>;
}

export const priceSelection = `{ key charge timing interval meter included model }`;

interface Tier {
  readonly upTo?: string;
  readonly unitAmount?: string;
  readonly ratePercent?: string;
  readonly flatAmount?: string;
}

/** A table with a row for each tier of each price. */
export function printPrices(context: CliContext, prices: readonly Price[]): void {
  printTable(
    context,
    ["PRICE", "CHARGE", "METER", "MODEL", "UP TO", "AMOUNT", "PER", "FLAT"],
    prices.flatMap((price) => {
      const { key, charge, meter, interval, timing } = price;
      const [name = "", fields] = Object.entries(price.model)[0] ?? [];
      const { tiers, per, ...rest } = (fields ?? {}) as { tiers?: readonly Tier[]; per?: string };
      const billed =
        charge === "one_off" ? charge : `${charge} / ${interval}${timing === "advance" ? " ahead" : ""}`;
      const row = [key, billed, meter ?? "", name];
      if (tiers === undefined) return [[...row, "", describe(rest), per ?? "", ""]];
      return tiers.map((tier) => [
        ...row,
        tier.upTo ?? "∞",
        tier.unitAmount ?? (tier.ratePercent === undefined ? "" : `${tier.ratePercent} %`),
        per ?? "",
        tier.flatAmount ?? "",
      ]);
    }),
    "No prices.",
  );
}

/** The one amount of a simple model, or its fields as JSON. */
function describe(fields: Readonly<Record<string, unknown>>): string {
  const values = Object.values(fields);
  const [only] = values;
  if (values.length === 1 && typeof only === "string") return only;
  const text = JSON.stringify(fields);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
