/** The store says that this can never work: bad data, bad types. Trying again is no use. */
export class ColumnarRejected extends Error {
  override readonly name = "ColumnarRejected";
  readonly retry = false;
}

/** The store cannot do this now: memory, disk, load, network. The same statement may work later. */
export class ColumnarUnavailable extends Error {
  override readonly name = "ColumnarUnavailable";
  readonly retry = true;
  readonly retryAfterSeconds = 2;
}

/** A question took more time, memory or rows than one question may. */
export class ColumnarLimitExceeded extends Error {
  override readonly name = "ColumnarLimitExceeded";
  readonly retry = false;
}

// ClickHouse's ErrorCodes.cpp. What is in no list is taken to pass.
const limit_codes = new Set([158, 159, 160, 241, 307, 396]);
/** The values cannot be read, converted or held: these rows can never go in. */
const data_codes = new Set([
  6, 26, 27, 32, 33, 38, 41, 69, 70, 72, 117, 128, 130, 131, 190, 321, 349, 407, 436, 444, 675,
]);
/** A table, column, format or schema is missing, or the statement is wrong: mended by a person, not by other rows. */
const statement_codes = new Set([43, 47, 53, 60, 62, 73, 434, 636]);

/**
 * Names what a statement's failure means, and which statement it was. A writer's statement that fails for want of a
 * table is worth repeating: to call it rejected would send every batch into quarantine.
 */
export function classifyFailure(statement: string, error: unknown, role: "writer" | "reader"): Error {
  const message = error instanceof Error ? error.message : String(error);
  const code = Number(
    /\bCode: (\d+)\b/.exec(message)?.[1] ?? (error as { code?: unknown } | null)?.code ?? 0,
  );
  const text = `${statement}: ${message.slice(0, 2000)}`;
  if (role === "reader" && limit_codes.has(code)) return new ColumnarLimitExceeded(text, { cause: error });
  if (data_codes.has(code)) return new ColumnarRejected(text, { cause: error });
  if (role === "reader" && statement_codes.has(code)) return new ColumnarRejected(text, { cause: error });
  return new ColumnarUnavailable(text, { cause: error });
}
