import { exponentOf, type Currency } from "../../kernel/currency.js";
import { Decimal } from "../../kernel/decimal.js";
import { catalog_key_rule, isCatalogKey } from "./catalog-key.js";

/** One thing that is wrong with a definition: where ("prices[2].model.graduated.per"), and what to do. */
export interface CatalogFault {
  readonly field: string;
  readonly message: string;
}

const name_length_max = 256;
const amount_max = Decimal.of("1000000000000");

/** Collects what is wrong, each fault with its path, so that one answer names them all. */
export class CatalogFaults {
  readonly found: CatalogFault[];
  readonly at: string;

  constructor(found: CatalogFault[] = [], at = "") {
    this.found = found;
    this.at = at;
  }

  /** The same collection, one level down: `inside("prices[0]")`. */
  inside(field: string): CatalogFaults {
    return new CatalogFaults(this.found, joinPath(this.at, field));
  }

  /** @param field  below where this collection stands; "" for the place itself */
  add(field: string, message: string): void {
    this.found.push({ field: joinPath(this.at, field), message });
  }

  key(field: string, key: string): void {
    if (!isCatalogKey(key)) this.add(field, catalog_key_rule);
  }

  /** Keys of a list `list`, each once. */
  keys(list: string, items: readonly { readonly key: string }[]): void {
    const seen = new Set<string>();
    items.forEach(({ key }, index) => {
      this.key(`${list}[${index}].key`, key);
      if (seen.has(key)) this.add(`${list}[${index}].key`, `"${key}" is there twice`);
      seen.add(key);
    });
  }

  name(field: string, name: string | undefined): void {
    if (name !== undefined && (name.length === 0 || name.length > name_length_max))
      this.add(field, `1 to ${name_length_max} characters`);
  }

  /** A whole number from `least` to `most`. */
  count(field: string, count: number | undefined, least: number, most: number): void {
    if (count === undefined) return;
    if (!Number.isSafeInteger(count) || count < least || count > most)
      this.add(field, `a whole number from ${least} to ${most}`);
  }

  percent(field: string, percent: Decimal | undefined): void {
    if (percent === undefined) return;
    if (percent.compare(Decimal.zero) <= 0 || percent.compare(Decimal.of(100)) > 0)
      this.add(field, "a percentage above 0, at most 100");
    if (!percent.equals(percent.round(6, "down"))) this.add(field, "at most 6 decimals");
  }

  /** Amounts that a person pays: above zero, no finer than the currency's smallest coin. */
  amounts(
    field: string,
    amounts: Readonly<Record<string, Decimal>> | undefined,
    currencies?: readonly Currency[],
  ): void {
    if (amounts === undefined) return;
    if (Object.keys(amounts).length === 0) this.add(field, "give an amount");
    for (const currency of currencies ?? []) {
      if (!Object.hasOwn(amounts, currency))
        this.add(field, `${currency} is missing: it is one of the plan's currencies`);
    }
    for (const [code, amount] of Object.entries(amounts)) {
      const at = `${field}.${code}`;
      if (currencies !== undefined && !(currencies as readonly string[]).includes(code))
        this.add(at, `no price is sold in ${code}: the currencies are ${currencies.join(", ")}`);
      if (amount.compare(Decimal.zero) <= 0) this.add(at, "an amount above zero");
      if (amount.compare(amount_max) > 0) this.add(at, `at most ${amount_max.toString()}`);
      const exponent = exponentOf(code as Currency);
      if (!amount.equals(amount.round(exponent, "down")))
        this.add(at, `${code} has ${exponent} decimals, and this is an amount that somebody pays`);
    }
  }
}

export function joinPath(at: string, field: string): string {
  if (field === "") return at;
  return at === "" || field.startsWith("[") ? `${at}${field}` : `${at}.${field}`;
}
