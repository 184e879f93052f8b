import { parseCurrency, type Currency } from "../../src/kernel/currency.js";
import { Decimal } from "../../src/kernel/decimal.js";
import type { ConversionRounding, Tier } from "../../src/rating/core/index.js";
import { isRecord, type RatingCase } from "./rating-case.js";

/** A case that Weir's code cannot express, and why. */
export class Inexpressible extends Error {
  override readonly name = "Inexpressible";
}

/** A case's parameters; those that nobody asked for make the case one that was not understood. */
export class CaseParameters {
  readonly quantity: Decimal;
  readonly #params: Readonly<Record<string, unknown>>;
  readonly #asked = new Set<string>();

  constructor({ quantity, params }: Pick<RatingCase, "quantity" | "params">) {
    this.quantity = decimalOf(quantity, "quantity");
    this.#params = params;
  }

  has(name: string): boolean {
    return this.#params[name] !== undefined;
  }

  raw(name: string): unknown {
    this.#asked.add(name);
    return this.#params[name];
  }

  optional(name: string): Decimal | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : decimalOf(value, name);
  }

  decimal(name: string): Decimal {
    return this.optional(name) ?? refuse(`parameter "${name}" is missing`);
  }

  /** A whole number of events or days. */
  count(name: string): number | undefined {
    const value = this.optional(name);
    return value === undefined ? undefined : Number(value.toBigInt());
  }

  decimals(name: string): Decimal[] {
    return this.list(name).map((value, index) => decimalOf(value, `${name}[${index}]`));
  }

  list(name: string): readonly unknown[] {
    const value = this.raw(name);
    return Array.isArray(value) ? (value as unknown[]) : refuse(`parameter "${name}" must be a list`);
  }

  oneOf<const T extends string>(name: string, ...allowed: readonly T[]): T {
    const value = this.raw(name);
    return (
      allowed.find((one) => one === value) ??
      refuse(`parameter "${name}" is ${JSON.stringify(value)}; known: ${allowed.join(", ")}`)
    );
  }

  flag(name: string): boolean {
    const value = this.raw(name);
    return typeof value === "boolean" ? value : refuse(`parameter "${name}" must be true or false`);
  }

  currency(): Currency | undefined {
    const code = this.raw("currency");
    if (code === undefined) return undefined;
    return (
      (typeof code === "string" ? parseCurrency(code) : undefined) ??
      refuse(`no currency ${JSON.stringify(code)}`)
    );
  }

  tiers(): Tier[] {
    return this.#tiers(
      ({ unit_amount, flat_amount }, at) => ({
        unitAmount: decimalOf(unit_amount ?? "0", `${at}.unit_amount`),
        flatAmount: decimalOf(flat_amount ?? "0", `${at}.flat_amount`),
      }),
      ["unit_amount", "flat_amount"],
    );
  }

  percentageTiers() {
    return this.#tiers(
      ({ rate_percent, flat_amount }, at) => ({
        ratePercent: decimalOf(rate_percent ?? "0", `${at}.rate_percent`),
        flatAmount: decimalOf(flat_amount ?? "0", `${at}.flat_amount`),
      }),
      ["rate_percent", "flat_amount"],
    );
  }

  conversion() {
    const given = this.raw("convert");
    if (!isRecord(given)) return refuse('parameter "convert" must be an object');
    const convert = new CaseParameters({ quantity: "0", params: given });
    const roundings: Readonly<Record<string, ConversionRounding>> = {
      none: "none",
      ceiling: "ceiling",
      floor: "floor",
      half_up: "half_up",
    };
    const named = convert.raw("rounding") ?? "none";
    const rounding =
      typeof named === "string" && Object.hasOwn(roundings, named) ? roundings[named] : undefined;
    const conversion = {
      operation: convert.oneOf("op", "divide", "multiply"),
      factor: convert.decimal("factor"),
      rounding: rounding ?? refuse(`rounding ${JSON.stringify(named)} is not known`),
      precision: convert.count("precision") ?? 0,
    };
    convert.requireAllAsked();
    return conversion;
  }

  /** @throws Inexpressible naming the parameters that nobody asked for */
  requireAllAsked(): void {
    const left = Object.keys(this.#params).filter((name) => !this.#asked.has(name));
    if (left.length > 0) refuse(`no meaning is known here for: ${left.join(", ")}`);
  }

  #tiers<T>(
    read: (tier: Record<string, unknown>, at: string) => T,
    known: readonly string[],
  ): ({ upTo: Decimal | undefined } & T)[] {
    return this.list("tiers").map((tier, index) => {
      const at = `tiers[${index}]`;
      if (!isRecord(tier)) return refuse(`${at} must be an object`);
      const left = Object.keys(tier).filter((name) => name !== "up_to" && !known.includes(name));
      if (left.length > 0) refuse(`no meaning is known for ${at}.${left.join(", ")}`);
      const { up_to: upTo = null } = tier;
      return { upTo: upTo === null ? undefined : decimalOf(upTo, `${at}.up_to`), ...read(tier, at) };
    });
  }
}

export function decimalOf(value: unknown, at: string): Decimal {
  const parsed = typeof value === "string" ? Decimal.parse(value) : undefined;
  return parsed ?? refuse(`"${at}" must be decimal text, not ${JSON.stringify(value)}`);
}

export function refuse(reason: string): never {
  throw new Inexpressible(reason);
}
