import { afterAll, beforeAll, expect, test } from "vitest";
import { Batch, type KeptOrganization } from "./batch.js";
import { violations } from "./oracle.js";
import { month_h } from "./seeded-plan.js";
import type { Plan } from "./plan.js";

/*
 * That the oracle can say no: what lies in the tables is spoiled behind Weir's back, one law of docs/spec/conservation.md after the
 * other, and it has to see that.
 */

/** A month of four customers in which money comes, goes back, is disputed and is paid out. */
const plan: Plan = {
  seed: 0,
  simulator: { fees: { basisPoints: 290, fixed: 30, dispute: 1_500 } },
  dunningEnd: "none",
  customers: [
    { number: 0, plan: "usd-arrears", method: "4242424242424242" },
    { number: 1, plan: "usd-arrears", method: "4000000000000002" },
    { number: 2, plan: "usd-arrears", method: "4242424242424242" },
    { number: 3, plan: "usd-arrears", method: "4000000000000259" },
  ],
  steps: [
    {
      number: 1,
      at_h: month_h + 24,
      what: { do: "refund", customer: 2, which: 0, share: 0.5, source: "goodwill" },
    },
    { number: 2, at_h: month_h + 96, what: { do: "pay_out", currency: "usd", difference: 0 } },
  ],
  crashes: [],
};

let batch: Batch;
let kept: KeptOrganization;

beforeAll(async () => {
  batch = await Batch.open();
  kept = await batch.playAndKeep(plan);
});

afterAll(async () => {
  await batch.close();
});

test("as it is, everything holds", () => {
  expect(kept.played.violations).toEqual([]);
});

const one = (table: string, where = "true") =>
  `ctid = (SELECT ctid FROM ${table} WHERE organization = $1 AND ${where} ORDER BY id LIMIT 1)`;
const deleted = (table: string, where?: string) => `DELETE FROM ${table} WHERE ${one(table, where)}`;
const changed = (table: string, change: string, where?: string) =>
  `UPDATE ${table} SET ${change} WHERE ${one(table, where)}`;

/** The law, the table, what is done to it, and what has to be said. */
const spoiled: readonly (readonly [law: string, table: string, change: string, said: RegExp])[] = [
  [
    "1 a capture without a payment",
    "payments",
    deleted("payments"),
    /took 2000, and there is no payment of it/,
  ],
];

test.each(spoiled)("%s", async (_law, table, change, said) => {
  const restore = await spoil(table, change);
  try {
    expect(await violations(kept.of)).toContainEqual(expect.stringMatching(said));
  } finally {
    await restore();
  }
  expect(await violations(kept.of)).toEqual([]);
});

/** Changes rows of a table of the organization. @returns what puts them back */
async function spoil(table: string, change: string): Promise<() => Promise<void>> {
  const { organization } = kept.of;
  const theirs = `FROM ${table} WHERE organization = '${organization}'`;
  await batch.tamper(async (sql) => {
    await sql.unsafe(`CREATE TEMPORARY TABLE before_it_was_spoiled AS SELECT * ${theirs}`);
    const { count } = await sql.unsafe(change.replaceAll("$1", `'${organization}'`));
    if (count !== 1) throw new Error(`${change} changed ${count} rows`);
  });
  return () =>
    batch.tamper(async (sql) => {
      const [columns] = await sql<{ names: string }[]>`
        SELECT string_agg(quote_ident(column_name), ', ') AS names FROM information_schema.columns
        WHERE table_schema = 'weir' AND table_name = ${table} AND is_generated = 'NEVER'`;
      const names = columns?.names ?? "";
      await sql.unsafe(`DELETE ${theirs}`);
      await sql.unsafe(
        `INSERT INTO ${table} (${names}) OVERRIDING SYSTEM VALUE SELECT ${names} FROM before_it_was_spoiled`,
      );
      await sql.unsafe("DROP TABLE before_it_was_spoiled");
    });
}
