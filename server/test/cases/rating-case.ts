import { readFileSync } from "node:fs";

/** A case as other systems' tests give it: a model with its parameters, a quantity, and what it must come to. */
export interface RatingCase {
  readonly id: string;
  readonly model: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly quantity: string;
  /** Decimal text; a list where several invoices are made one after another. */
  readonly expected: string | readonly string[];
  readonly note: string | undefined;
}

/** A file of cases that cannot be read: nothing was run. */
export class UnreadableCases extends Error {
  override readonly name = "UnreadableCases";
}

/** @throws UnreadableCases naming the file and, where one is malformed, the case */
export function readCases(file: string): RatingCase[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new UnreadableCases(missing ? `There is no file ${file}` : `${file}: ${(error as Error).message}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UnreadableCases(`${file} is not JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(json)) throw new UnreadableCases(`${file} must hold a list of cases`);
  return json.map((each: unknown, index) => parseCase(each, `${file}, case ${index + 1}`));
}

function parseCase(json: unknown, at: string): RatingCase {
  if (!isRecord(json)) throw new UnreadableCases(`${at} must be an object`);
  const text = (field: string): string => {
    const value = json[field];
    if (typeof value !== "string") throw new UnreadableCases(`${at}: "${field}" must be text`);
    return value;
  };
  const { params, expected } = json;
  if (!isRecord(params)) throw new UnreadableCases(`${at}: "params" must be an object`);
  const isExpectation = (value: unknown): value is string | string[] =>
    typeof value === "string" || (Array.isArray(value) && value.every((one) => typeof one === "string"));
  if (!isExpectation(expected))
    throw new UnreadableCases(`${at}: "expected" must be decimal text, or a list of such`);
  const note = typeof json["note"] === "string" ? json["note"] : undefined;
  return { id: text("id"), model: text("model"), quantity: text("quantity"), params, expected, note };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
