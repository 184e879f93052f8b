import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { UsageError } from "./context.js";

/** Gathers an option that may be given several times, or as a,b,c. */
export function collectList(value: string, previous: readonly string[] = []): string[] {
  const parts = value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  return [...previous, ...parts];
}

/** Gathers an option whose values may contain commas. */
export function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}

export function readCount(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError("a whole number from 1 is needed");
  return Number(value);
}

/** 0, 1, 2 … */
export function readWhole(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError("a whole number is needed");
  return Number(value);
}

const units_ms: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** An instant as RFC 3339, as a date (its beginning in UTC), or as time before now such as 30d, 12h, 90m. */
export function readInstant(value: string): string {
  const ago = /^(\d{1,6})([mhd])$/.exec(value);
  if (ago !== null)
    return new Date(Date.now() - Number(ago[1]) * (units_ms[ago[2] ?? ""] ?? 0)).toISOString();
  if (/^\d{4}-\d{2}-\d{2}$/.test(value)) return `${value}T00:00:00Z`;
  if (Number.isNaN(Date.parse(value))) {
    throw new InvalidArgumentError(
      "write 2026-01-31, 2026-01-31T12:00:00Z, or time before now such as 30d or 12h",
    );
  }
  return value;
}

/** "name=value" options as an object. @throws UsageError */
export function readPairs(option: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw new UsageError(`${option} ${text}: write name=value`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** Text, or with @FILE what stands in a file; - is standard input. @throws UsageError */
export function readTextOrFile(option: string, value: string): string {
  if (value !== "-" && !value.startsWith("@")) return value;
  const file = value === "-" ? 0 : value.slice(1);
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`${option}: ${String(error)}`);
  }
}

/** @throws UsageError for text that is not JSON */
export function readJson(option: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${option}: not JSON (${String(error)})`);
  }
}
