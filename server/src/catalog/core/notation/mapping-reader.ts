import { Decimal } from "../../../kernel/decimal.js";
import { parseInstant, type Instant } from "../../../kernel/instant.js";
import { type CatalogFaults, joinPath } from "../fault.js";
import { didYouMean } from "./did-you-mean.js";
import { kindOf, scalarText } from "./number-text.js";

/**
 * Reads a mapping of the catalog's notation field by field, collecting what is wrong. A field that is null counts as
 * left out. `end` refuses the fields that nobody asked for.
 */
export class MappingReader {
  readonly faults: CatalogFaults;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  private constructor(fields: Readonly<Record<string, unknown>>, faults: CatalogFaults) {
    this.#fields = fields;
    this.faults = faults;
  }

  /** Undefined, with a fault, for what is no mapping. */
  static of(value: unknown, faults: CatalogFaults): MappingReader | undefined {
    if (isMapping(value)) return new MappingReader(value, faults);
    faults.add("", `a mapping of fields is needed here, not ${kindOf(value)}`);
    return undefined;
  }

  /** What stands there, unread; undefined when nothing does. */
  value(name: string): unknown {
    this.#known.add(name);
    return Object.hasOwn(this.#fields, name) ? (this.#fields[name] ?? undefined) : undefined;
  }

  text(name: string): string | undefined {
    return this.#scalar(name, "text", (text) => text);
  }

  /** "" with a fault when it is missing. */
  requiredText(name: string, what: string): string {
    if (this.value(name) === undefined) this.faults.add(name, `is missing: ${what}`);
    return this.text(name) ?? "";
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    return this.#scalar(name, `one of ${allowed.join(", ")}`, (text) => allowed.find((one) => one === text));
  }

  count(name: string): number | undefined {
    return this.#scalar(name, "a whole number", (text) =>
      /^-?\d{1,15}$/.test(text) ? Number(text) : undefined,
    );
  }

  decimal(name: string): Decimal | undefined {
    return this.#scalar(name, "a decimal number", (text) => Decimal.parse(text));
  }

  flag(name: string): boolean | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === "boolean") return value;
    this.faults.add(name, `must be true or false, not ${kindOf(value)}`);
    return undefined;
  }

  /** RFC 3339, or a date, which is its beginning in UTC. */
  instant(name: string): Instant | undefined {
    return this.#scalar(name, "an instant such as 2026-01-31T00:00:00Z, or a date", (text) =>
      parseInstant(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text),
    );
  }

  /** Undefined when it is left out; items that cannot be read are left out, with their faults. */
  list<T>(name: string, read: (item: unknown, at: CatalogFaults) => T | undefined): T[] | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) {
      this.faults.add(name, `must be a list, not ${kindOf(value)}`);
      return undefined;
    }
    return value.flatMap((item: unknown, index) => {
      const one = read(item, this.faults.inside(`${name}[${index}]`));
      return one === undefined ? [] : [one];
    });
  }

  texts(name: string): string[] | undefined {
    return this.list(name, (item, at) => {
      const text = scalarText(item);
      if (text === undefined) at.add("", `must be text, not ${kindOf(item)}`);
      return text;
    });
  }

  /** Names that whoever writes chooses, such as currency codes. */
  mapping<T>(
    name: string,
    read: (item: unknown, at: CatalogFaults) => T | undefined,
  ): Record<string, T> | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (!isMapping(value)) {
      this.faults.add(name, `must be a mapping, not ${kindOf(value)}`);
      return undefined;
    }
    const entries = Object.entries(value).flatMap(([key, item]) => {
      const one = read(item, this.faults.inside(joinPath(name, key)));
      return one === undefined ? [] : [[key, one] as const];
    });
    return Object.fromEntries(entries);
  }

  /** An amount for each currency; a bare amount is in `currency`. */
  amounts(name: string, currency: string | undefined): Record<string, Decimal> | undefined {
    if (isMapping(this.value(name))) return this.mapping(name, readDecimal);
    const amount = this.decimal(name);
    if (amount === undefined) return undefined;
    if (currency !== undefined) return { [currency]: amount };
    this.faults.add(name, 'say in which currency, such as {USD: "5"}');
    return undefined;
  }

  /** Refuses every field that was not asked for. @param proposed  what may be meant, when not all of them */
  end(proposed: readonly string[] = [...this.#known]): void {
    for (const name of Object.keys(this.#fields)) {
      if (!this.#known.has(name))
        this.faults.add(name, `there is no such field; ${didYouMean(name, proposed)}`);
    }
  }

  #scalar<T>(name: string, what: string, read: (text: string) => T | undefined): T | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const text = scalarText(value);
    const found = text === undefined ? undefined : read(text);
    if (found === undefined) this.faults.add(name, `must be ${what}, not ${kindOf(value)}`);
    return found;
  }
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function readDecimal(item: unknown, at: CatalogFaults): Decimal | undefined {
  const text = scalarText(item);
  const decimal = text === undefined ? undefined : Decimal.parse(text);
  if (decimal === undefined) at.add("", `must be a decimal number, not ${kindOf(item)}`);
  return decimal;
}
