import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { authenticated, callerOf } from "../../http/authentication.js";
import { formatInstant, parseInstant, type Instant } from "../../kernel/instant.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { Services } from "../../services.js";
import { journal_formats, type JournalFormat } from "../ledger-journal.js";

const content_types: Readonly<Record<JournalFormat, string>> = {
  csv: "text/csv; charset=utf-8; header=present",
  parquet: "application/vnd.apache.parquet",
};

interface JournalRoute {
  readonly Querystring: Readonly<Record<string, unknown>>;
}

/** The journal as a file, which is sent as it is read. Everything else of the ledger is GraphQL's. */
export function registerJournalRoute(app: FastifyInstance, services: Services): void {
  const mayRead = { preHandler: authenticated(services, "secret", "read") };
  app.get<JournalRoute>("/v1/ledger/journal", mayRead, (request, reply) => {
    const { format, from, to } = readQuery(request.query);
    const bytes = services.books.journal.write(callerOf(request).organization, format, {
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    });
    const span = [from, to].map((at) => (at === undefined ? "" : formatInstant(at).slice(0, 10))).join("-");
    return reply
      .header("content-type", content_types[format])
      .header(
        "content-disposition",
        `attachment; filename="journal${span === "-" ? "" : `-${span}`}.${format}"`,
      )
      .header("x-content-type-options", "nosniff")
      .send(Readable.from(bytes, { objectMode: false }));
  });
}

/** @throws Refusal 400 listing every fault by parameter */
function readQuery(query: JournalRoute["Querystring"]): {
  format: JournalFormat;
  from: Instant | undefined;
  to: Instant | undefined;
} {
  const errors: { field: string; message: string }[] = [];
  const readInstant = (field: "from" | "to"): Instant | undefined => {
    const value = query[field];
    if (value === undefined) return undefined;
    const at = typeof value === "string" ? parseInstant(value) : undefined;
    if (at === undefined) errors.push({ field, message: "once, as RFC 3339, such as 2026-10-01T00:00:00Z" });
    return at;
  };
  const asked = query["format"] ?? "csv";
  const format = journal_formats.find((one) => one === asked);
  if (format === undefined) errors.push({ field: "format", message: `one of ${journal_formats.join(", ")}` });
  const from = readInstant("from");
  const to = readInstant("to");
  if (from !== undefined && to !== undefined && to <= from)
    errors.push({ field: "to", message: "after from" });
  if (errors.length === 0 && format !== undefined) return { format, from, to };
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  throw new Refusal(
    makeProblem("invalid-journal-request", 400, "The journal cannot be made", detail, { errors }),
  );
}
