import { readMinorUnits, type TextFault } from "../amount-text.js";
import { FileRefused } from "../file-refused.js";
import type { Currency } from "../../../kernel/currency.js";
import type { Money } from "../../../kernel/money.js";
import type { Result } from "../../../kernel/result.js";
import type { CsvRow } from "./csv-reader.js";

/** How a column is looked for: without regard to case, spaces around it, or a byte-order mark. */
export function columnName(text: string): string {
  return text
    .replace(/^\ufeff/, "")
    .trim()
    .toLowerCase();
}

/** A report's columns by name: their order and number are the sender's business. */
export class CsvColumns {
  readonly names: readonly string[];
  readonly #indexes = new Map<string, number>();

  /**
   * @param required  each a name, or several of which one must be there
   * @throws FileRefused naming the columns that are missing or there twice
   */
  constructor(header: readonly string[], required: readonly (string | readonly string[])[], advice: string) {
    this.names = header.map((name) => name.replace(/^\ufeff/, "").trim());
    for (const [index, name] of header.entries()) {
      const known = columnName(name);
      if (known !== "" && this.#indexes.has(known)) {
        throw new FileRefused({
          line: 1,
          field: `column ${index + 1} (${name})`,
          detail: "the header has this column twice",
          advice,
        });
      }
      this.#indexes.set(known, index);
    }
    const missing = required
      .map((names) => [names].flat())
      .filter((names) => !names.some((name) => this.#indexes.has(columnName(name))))
      .map((names) => names.join(" or "));
    if (missing.length > 0) {
      throw new FileRefused({
        line: 1,
        field: "header",
        detail: `the columns ${missing.join(", ")} are missing`,
        advice,
      });
    }
  }

  indexOf(name: string): number | undefined {
    return this.#indexes.get(columnName(name));
  }

  /** The column of the first of these names that there is. */
  anyOf(...names: readonly string[]): number | undefined {
    for (const name of names) {
      const index = this.indexOf(name);
      if (index !== undefined) return index;
    }
    return undefined;
  }

  /** "column 7 (gross)" */
  label(index: number): string {
    return `column ${index + 1} (${this.names[index] ?? ""})`;
  }

  /** The text of a column, without spaces around it; empty where the report does not have it. */
  text({ fields }: CsvRow, index: number | undefined): string {
    return index === undefined ? "" : (fields[index] ?? "").trim();
  }

  /** An amount in major units; an empty one is zero when `orZero`. @throws FileRefused naming the line and column */
  money(row: CsvRow, index: number, currency: Currency, orZero = false): Money {
    const text = this.text(row, index);
    if (text === "" && orZero) return { currency, minor: 0n };
    return { currency, minor: this.value(row, index, readMinorUnits(text, currency)) };
  }

  /** @throws FileRefused naming the line and column, when the text is at fault */
  value<T>(row: CsvRow, index: number, read: Result<T, TextFault>): T {
    if (read.ok) return read.value;
    throw this.refuse(row, index, read.error);
  }

  refuse({ line, record }: CsvRow, index: number, { detail, advice }: TextFault): FileRefused {
    return new FileRefused({ line, record, field: this.label(index), detail, advice });
  }

  /** What the row said, by column; empty fields are left out. */
  original({ fields }: CsvRow, show: (index: number, value: string) => string): Record<string, string> {
    const original: Record<string, string> = {};
    for (let index = 0; index < fields.length; index += 1) {
      const value = fields[index];
      const name = this.names[index];
      if (value !== undefined && value !== "" && name !== undefined) original[name] = show(index, value);
    }
    return original;
  }
}
