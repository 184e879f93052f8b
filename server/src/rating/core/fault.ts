import { Decimal } from "../../kernel/decimal.js";

/** One thing that is wrong with a price: where ("tiers[2].upTo"), and what to do. */
export interface PriceModelFault {
  readonly field: string;
  readonly message: string;
}

/** 2^40 and a little: a price per tebibyte of a meter in bytes is the largest divisor that people use. */
const per_max = Decimal.of("10000000000000");
export const amount_decimals_max = 12;
/** A percent of one: rates in percent times this. */
export const percent_share = Decimal.of("0.01");
/** What ingest takes. */
export const quantity_decimals_max = 18;
const amount_max = Decimal.of("1000000000000");
const quantity_max = Decimal.of("1000000000000000000000000");

/** Collects what is wrong with a value, each fault with its path. */
export class Faults {
  readonly #found: PriceModelFault[];
  readonly #at: string;

  constructor(found: PriceModelFault[] = [], at = "") {
    this.#found = found;
    this.#at = at;
  }

  get found(): PriceModelFault[] {
    return this.#found;
  }

  /** The same collection, one level down: `inside("tiers[0]")`. */
  inside(field: string): Faults {
    return new Faults(this.#found, this.#path(field));
  }

  add(field: string, message: string): void {
    this.#found.push({ field: this.#path(field), message });
  }

  /** A price or a limit, in major units: zero or more, at most 10^12, at most 12 decimals. */
  amount(field: string, amount: Decimal | undefined): void {
    if (amount === undefined) return;
    if (amount.isNegative()) this.add(field, "a price is zero or more");
    if (amount.compare(amount_max) > 0) this.add(field, `at most ${amount_max.toString()}`);
    if (!amount.equals(amount.round(amount_decimals_max, "down"))) {
      this.add(
        field,
        `at most ${amount_decimals_max} decimals; for finer prices use "per", such as a price per 1000000`,
      );
    }
  }

  /** A rate in percent, zero or more; a discount is at most 100. */
  percent(field: string, percent: Decimal | undefined, most: Decimal = per_max): void {
    if (percent === undefined) return;
    if (percent.isNegative()) this.add(field, "a percentage is zero or more");
    if (percent.compare(most) > 0) this.add(field, `at most ${most.toString()}`);
    if (!percent.equals(percent.round(amount_decimals_max, "down")))
      this.add(field, `at most ${amount_decimals_max} decimals`);
  }

  /** A number of units, zero or more, with at most 18 decimals. */
  quantity(field: string, quantity: Decimal | undefined): void {
    if (quantity === undefined) return;
    if (quantity.isNegative()) this.add(field, "a quantity is zero or more");
    if (quantity.compare(quantity_max) > 0) this.add(field, `at most ${quantity_max.toString()}`);
    if (!quantity.equals(quantity.round(quantity_decimals_max, "down")))
      this.add(field, `at most ${quantity_decimals_max} decimals`);
  }

  /** A number of units above zero. */
  positive(field: string, quantity: Decimal | undefined): void {
    if (quantity === undefined) return;
    if (quantity.isZero()) this.add(field, "must be above zero");
    this.quantity(field, quantity);
  }

  per(per: Decimal): void {
    if (!per.isInteger() || per.compare(Decimal.one) < 0 || per.compare(per_max) > 0)
      this.add("per", `how many units the price is for: a whole number from 1 to ${per_max.toString()}`);
  }

  text(field: string, given: string): void {
    if (given.length === 0 || given.length > 256) this.add(field, "1 to 256 characters");
  }

  #path(field: string): string {
    return this.#at === "" ? field : `${this.#at}.${field}`;
  }
}
