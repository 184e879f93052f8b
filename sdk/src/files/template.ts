import { FileFault, MappingFault } from "./file-fault.js";

/** Text with {column} places; {row} is the source row from 0, {subject} the subject of `forEachSubject`. */
export type Template = (row: Readonly<Record<string, string>>) => string;

/** @throws MappingFault for an unclosed place or an unknown column */
export function compileTemplate(option: string, text: string, columns: ReadonlySet<string>): Template {
  const parts = text.split(/(\{[^{}]*\})/);
  for (const part of parts) {
    if (part.startsWith("{") && part.endsWith("}")) {
      const name = part.slice(1, -1);
      if (!columns.has(name))
        throw new MappingFault(option, `there is no column "${name}"; there are ${[...columns].join(", ")}`);
    } else if (/[{}]/.test(part)) {
      throw new MappingFault(option, `a { without its } in "${text}"`);
    }
  }
  return (row) =>
    parts.map((part) => (part.startsWith("{") ? (row[part.slice(1, -1)] ?? "") : part)).join("");
}

/** What a cell becomes in an event's data: a JSON number when that keeps every digit, text otherwise. */
export function readCell(text: string): number | string {
  if (!/^-?(0|[1-9]\d*)(\.\d+)?$/.test(text)) return text;
  return text.replace(/[-.]/g, "").replace(/^0+/, "").length <= 15 ? Number(text) : text;
}

/**
 * A time as RFC 3339 to the microsecond. What has no offset is taken to be in UTC; a space may stand for the T, and
 * digits beyond the sixth are cut.
 * @throws FileFault when the text is no time
 */
export function readTime(text: string, line: number): string {
  const match = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d+))?\s*(Z|[+-]\d{2}:?\d{2})?$/i.exec(
    text.trim(),
  );
  if (match === null) {
    const seconds = /^\d{10}(\.\d+)?$/.test(text)
      ? Number(text)
      : /^\d{13}$/.test(text)
        ? Number(text) / 1000
        : undefined;
    if (seconds !== undefined) return new Date(seconds * 1000).toISOString();
    const short = text.length > 64 ? `${text.slice(0, 64)}…` : text;
    throw new FileFault(`"${short}" is not a time such as 2026-01-31T12:00:00Z or 2026-01-31 12:00:00`, line);
  }
  const [, date, time = "", fraction, zone = "Z"] = match;
  const seconds = time.length === 5 ? `${time}:00` : time;
  const offset = /^[+-]\d{4}$/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  return `${date}T${seconds}${fraction === undefined ? "" : `.${fraction.slice(0, 6)}`}${offset}`;
}
