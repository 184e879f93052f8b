import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseCurrency, type Currency } from "../../src/kernel/currency.js";
import type { CustomerId, OrganizationId } from "../../src/kernel/ids.js";
import { formatInstant, parseInstant, type Instant } from "../../src/kernel/instant.js";
import type { Posting, StoredPosting } from "../../src/ledger/index.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let organization: OrganizationId;
let key: string;
let ingestKey: string;
let stored: StoredPosting[];

const at = (text: string) => parseInstant(text) as Instant;
const customer = "cus_01arz3ndektsv4rrffq69g5fav" as CustomerId;
const posting = (number: number, code: string, minor: bigint, more: Partial<Posting> = {}): Posting => ({
  idempotencyKey: `invoice:${number}, "quoted"\r\nline`,
  reason: "invoice.finalize",
  reference: `inv_${number}`,
  at: at(`2026-10-${String((number % 28) + 1).padStart(2, "0")}T00:00:00.000001Z`),
  transfers: [
    {
      debit: { kind: "receivable", customer },
      credit: { kind: "revenue" },
      amount: { currency: parseCurrency(code) as Currency, minor },
      service: { start: at("2026-10-01T00:00:00Z"), end: at("2026-11-01T00:00:00Z") },
    },
    {
      debit: { kind: "receivable", customer },
      credit: { kind: "tax_payable" },
      amount: { currency: parseCurrency(code) as Currency, minor: 1n },
    },
  ],
  ...more,
});

beforeAll(async () => {
  weir = await startTestWeir("journal");
  const { identity, ledger, postgres } = weir.weir.services;
  ({ id: organization } = await identity.createOrganization({ slug: "books", name: "Books", mode: "test" }));
  ({ secret: key } = await identity.issueSystemKey(organization, { name: "t", kind: "secret" }));
  ({ secret: ingestKey } = await identity.issueSystemKey(organization, { name: "i", kind: "ingest" }));
  await weir.graphql('mutation { startTestClock(at: "2026-11-05T00:00:00Z") { __typename } }', {}, key);
  await postgres.inOrganization(organization, async (sql) => {
    for (let first = 0; first < 2500; first += 500)
      await ledger.post(
        sql,
        organization,
        Array.from({ length: 500 }, (_, index) => posting(first + index, "USD", BigInt(first + index + 1))),
      );
    await ledger.post(sql, organization, [
      posting(9001, "JPY", 12_345n),
      posting(9002, "KWD", 1n),
      posting(9003, "USD", 10n ** 33n),
      posting(9006, "USD", 10n ** 37n),
      posting(9004, "EUR", 700n, { pending: true }),
      posting(9005, "EUR", 800n, { pending: true }),
    ]);
    const keyOf = (number: number) => posting(number, "EUR", 1n).idempotencyKey;
    await ledger.resolve(sql, organization, keyOf(9004), "post", {
      reason: "payment.settle",
      amounts: [600n, 0n],
    });
    await ledger.resolve(sql, organization, keyOf(9005), "void", { reason: "payment.cancel" });
  });
  stored = [];
  for (let after = ""; ; ) {
    const page = await ledger.postings(organization, { after, limit: 500 });
    stored.push(...page);
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.id;
  }
});
afterAll(() => weir?.close());

const journal = (query: string, as = key) => weir.fetch(`/v1/ledger/journal?${query}`, { key: as });

/** What the journal must say, in its order. */
function expected(postings: readonly StoredPosting[]) {
  return postings
    .toSorted((one, other) => one.postedAt - other.postedAt || (one.id < other.id ? -1 : 1))
    .flatMap(({ transfers, ...one }) =>
      transfers.map((transfer, position) => ({ ...one, position, ...transfer })),
    );
}

/** RFC 4180, read character by character. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[""]];
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const row = rows.at(-1) as string[];
    const character = text[index] as string;
    if (quoted && character === '"' && text[index + 1] === '"') {
      row.push(`${row.pop()}"`);
      index += 1;
    } else if (character === '"') quoted = !quoted;
    else if (!quoted && character === ",") row.push("");
    else if (!quoted && text.startsWith("\r\n", index)) {
      rows.push([""]);
      index += 1;
    } else row.push(`${row.pop()}${character}`);
  }
  return rows.slice(0, -1);
}

test("as CSV: every transfer once, in order, with amounts in both units", async () => {
  const response = await journal("format=csv");
  expect(response.headers.get("content-type")).toContain("text/csv");
  expect(response.headers.get("content-disposition")).toBe('attachment; filename="journal.csv"');
  const [head = [], ...rows] = parseCsv(await response.text());
  const entries = rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ""])));
  const plain = expected(stored);
  expect(entries).toHaveLength(plain.length);
  expect(entries.map((entry) => [entry["posting"], entry["position"], entry["amount_minor"]])).toEqual(
    plain.map(({ id, position, amount }) => [id, String(position), amount.minor.toString()]),
  );
  const named = (reference: string) => entries.find((entry) => entry["reference"] === reference);
  expect(named("inv_9001")).toMatchObject({ amount: "12345", amount_minor: "12345", currency: "JPY" });
  expect(named("inv_9002")).toMatchObject({ amount: "0.001", currency: "KWD" });
  expect(named("inv_9003")).toMatchObject({ amount: `1${"0".repeat(31)}.00` });
  expect(named("inv_5")).toEqual({
    posted_at: "2026-10-06T00:00:00.000001Z",
    posting: plain.find(({ reference }) => reference === "inv_5")?.id,
    position: "0",
    status: "posted",
    reason: "invoice.finalize",
    reference: "inv_5",
    debit: `receivable:${customer}`,
    credit: "revenue",
    currency: "USD",
    amount: "0.06",
    amount_minor: "6",
    service_start: "2026-10-01T00:00:00Z",
    service_end: "2026-11-01T00:00:00Z",
    reverses: "",
    resolves: "",
    idempotency_key: 'invoice:5, "quoted"\r\nline',
  });
  const settled = entries.filter((entry) => entry["reference"] === "inv_9004");
  expect(settled.map((entry) => [entry["status"], entry["amount"]])).toEqual([
    ["pending", "7.00"],
    ["pending", "0.01"],
    ["posted", "6.00"],
  ]);
  expect(settled.at(-1)?.["resolves"]).toBe(settled[0]?.["posting"]);
});

test("of a time: what counts at its beginning or later, and before its end", async () => {
  const [from, to] = ["2026-10-06T00:00:00.000001Z", "2026-10-08T00:00:00.000001Z"];
  const response = await journal(`format=csv&from=${from}&to=${to}`);
  expect(response.headers.get("content-disposition")).toContain("journal-2026-10-06-2026-10-08.csv");
  const [, ...rows] = parseCsv(await response.text());
  const plain = expected(stored.filter(({ postedAt }) => postedAt >= at(from) && postedAt < at(to)));
  expect(plain.length).toBeGreaterThan(0);
  expect(rows.map((row) => row[1])).toEqual(plain.map(({ id }) => id));
  const [head, ...none] = parseCsv(
    await (await journal(`from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z`)).text(),
  );
  expect([head?.length, none]).toEqual([16, []]);
});

test("as Parquet: ClickHouse reads the same from it", async () => {
  const response = await journal("format=parquet");
  expect(response.headers.get("content-type")).toBe("application/vnd.apache.parquet");
  const file = join(weir.dir, "journal.parquet");
  writeFileSync(file, Buffer.from(await response.arrayBuffer()));
  const rows = await readParquet<Record<string, string | number | null>>(file);
  const plain = expected(stored);
  expect(rows).toHaveLength(plain.length);
  const time = (instant: Instant | undefined) =>
    instant === undefined ? null : formatInstant(instant).replace("T", " ").replace("Z", "");
  const micros = (text: unknown) =>
    typeof text === "string" ? text.replace(/\.0+$/, "").replace(/(\.\d*?)0+$/, "$1") : null;
  expect(
    rows.map((row) => [
      micros(row["posted_at"]),
      row["posting"],
      row["position"],
      row["status"],
      row["amount_minor"],
      micros(row["service_end"]),
      row["idempotency_key"],
      row["resolves"],
    ]),
  ).toEqual(
    plain.map((one) => [
      time(one.postedAt),
      one.id,
      one.position,
      one.pending ? "pending" : "posted",
      one.amount.minor.toString(),
      time(one.service?.end),
      one.idempotencyKey,
      one.resolves ?? null,
    ]),
  );
  const named = (reference: string) => rows.find((row) => row["reference"] === reference);
  expect(Number(named("inv_9002")?.["amount"])).toBe(0.001);
  expect(named("inv_9003")?.["amount"]).toBe(`1${"0".repeat(31)}`);
  // More digits than a decimal of Parquet's has.
  expect(named("inv_9006")).toMatchObject({ amount: null, amount_minor: `1${"0".repeat(37)}` });
});

function readParquet<T>(file: string): Promise<T[]> {
  return weir.weir.services.columnar.system.query(
    "read parquet",
    `SELECT * REPLACE (toString(amount) AS amount, toString(amount_minor) AS amount_minor) FROM file('${file}', 'Parquet')`,
    {},
    (row) => row as T,
  );
}

test("what cannot be made is refused by parameter, and an ingest key reads no books", async () => {
  const refusal = async (query: string) => {
    const response = await journal(query);
    const body = (await response.json()) as { errors: { field: string }[] };
    return [response.status, ...body.errors.map(({ field }) => field)];
  };
  expect(await refusal("format=xls")).toEqual([400, "format"]);
  expect(await refusal("from=yesterday&to=2026-13-01T00:00:00Z")).toEqual([400, "from", "to"]);
  expect(await refusal("from=2026-10-02T00:00:00Z&to=2026-10-01T00:00:00Z")).toEqual([400, "to"]);
  expect((await journal("format=csv", ingestKey)).status).toBe(403);
});

test("who stops reading stops the journal", async () => {
  const { journal: books } = weir.weir.services.books;
  const bytes = books.write(organization, "csv", {});
  await bytes.next();
  await bytes.next();
  expect(await bytes.return(undefined)).toEqual({ done: true, value: undefined });
});
