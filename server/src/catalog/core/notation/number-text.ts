/** A number as it was written, before anything could round it. */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toJSON(): string {
    return this.text;
  }
}

const digits_max = 15;

/** Whether a double holds every digit: at most 15 significant ones. */
export function isExactNumber(text: string): boolean {
  const [mantissa = ""] = text.split(/e/i);
  return mantissa.replace(/[^\d]/g, "").replace(/^0+/, "").length <= digits_max;
}

/** The text of a scalar: as it was quoted, or as its number was written; undefined for anything else. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (value instanceof NumberText) return value.text;
  // A number that came as JSON. What a double has rounded shows by its 16th digit.
  if (typeof value === "number" && Number.isFinite(value) && isExactNumber(String(value)))
    return String(value);
  return undefined;
}

/** What a value is, for a fault's message. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number" && !isExactNumber(String(value)))
    return `${value}, a number of too many digits: quote it`;
  const text = scalarText(value);
  if (text !== undefined) return `"${text.slice(0, 60)}"`;
  return typeof value === "boolean" ? String(value) : "a mapping";
}
