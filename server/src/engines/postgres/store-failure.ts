import { makeProblem, Refusal, StoreUnavailable } from "../../kernel/problem.js";

// postgres.js' own codes, Node's, and SQLSTATEs (57P0x: shut down or starting; 53xxx: out of connections, memory or disk;
// 40001, 40P01 and 55P03: another transaction was in the way).
const passing_codes = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "40001",
  "40P01",
  "55P03",
  "57P01",
  "57P02",
  "57P03",
  "25P03",
]);

/** Whether the same call may succeed later: the server is away, restarting, full, or another transaction was in the way. */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  if (code === undefined) return false;
  if (passing_codes.has(code) || /^(08|53)[0-9A-Z]{3}$/.test(code)) return true;
  // At the connection: the database takes none just now. Of a statement it would be a mistake of ours.
  return code === "55000" && error instanceof Error && "severity" in error && error.severity === "FATAL";
}

// A text or a JSON document with U+0000, which PostgreSQL's text cannot hold.
const unstorable_text_codes = new Set(["22021", "22P05"]);

/** Gives an outage its name, and what cannot be stored its refusal; everything else stays what it is. */
export function nameFailure(error: unknown): unknown {
  if (unstorable_text_codes.has(codeOf(error) ?? "")) {
    const detail = "A text holds the character U+0000, which cannot be stored. Leave it out.";
    return new Refusal(makeProblem("invalid-text", 400, "A text cannot be stored", detail));
  }
  if (!isPassing(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreUnavailable(`PostgreSQL is not available: ${reason}`, { cause: error });
}

/** The SQLSTATE, or the code that Node or postgres.js gave. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
