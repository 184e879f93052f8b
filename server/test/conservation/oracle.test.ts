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
  await batch.withoutRules([...new Set(spoiled.map(([, table]) => table))]);
});

afterAll(async () => {
  await batch.close();
});

test("as it is, everything holds", () => {
  expect(kept.played.violations).toEqual([]);
});

const one = (table: string, where = "true") =>
  `ctid = (SELECT ctid FROM ${table} WHERE organization = $1 AND ${where} ORDER BY ctid LIMIT 1)`;
const deleted = (table: string, where?: string) => `DELETE FROM ${table} WHERE ${one(table, where)}`;
const changed = (table: string, change: string, where?: string) =>
  `UPDATE ${table} SET ${change} WHERE ${one(table, where)}`;

/** The law, the table, what is done to it, and what has to be said. */
const spoiled: readonly (readonly [law: string, table: string, change: string, said: RegExp])[] = [
  ["1: a payment is gone", "payments", deleted("payments"), /took 2000, and there is no payment of it$/],
  [
    "1: a payment is of another amount",
    "payments",
    changed("payments", "amount_minor = amount_minor + 1"),
    /is of 2001 USD, and \S+ took 2000 USD$/,
  ],
  [
    "1: a payment is of a charge that nobody knows",
    "payments",
    changed("payments", "ref = 'pi_made_up'"),
    /names pi_made_up, which the provider does not know$/,
  ],
  [
    "1: a success became a failure",
    "payment_attempts",
    changed("payment_attempts", "state = 'failed'", "state = 'succeeded'"),
    /took 2000, and attempt \S+ is failed$/,
  ],
  [
    "1: a failure became a success",
    "payment_attempts",
    changed("payment_attempts", "state = 'succeeded'", "state = 'failed'"),
    /succeeded, and \S+ took nothing$/,
  ],
  [
    "1: what was settled is gone",
    "payment_settlements",
    deleted("payment_settlements"),
    /it is not known what the provider settled$/,
  ],
  [
    "2: a transfer is of another amount",
    "ledger_transfers",
    changed("ledger_transfers", "amount_minor = amount_minor + 1"),
    /^a kept balance is not what its transfers come to/,
  ],
  [
    "2: a transfer is gone",
    "ledger_transfers",
    deleted("ledger_transfers"),
    /^a kept balance is not what its transfers come to/,
  ],
  [
    "2: a transfer is on another's account",
    "ledger_transfers",
    changed("ledger_transfers", "credit = 'suspense'", "credit LIKE 'receivable:%'"),
    /^receivable:\S+ USD: 2000 here, 0 there$/,
  ],
  ["3: a refund is gone", "refunds", deleted("refunds"), /^refunded of \S+: 0 here, 1000 there$/],
  [
    "3: a refund failed",
    "refunds",
    changed("refunds", "state = 'failed'"),
    /^refunded of \S+: 0 here, 1000 there$/,
  ],
  [
    "3: what was given back is not kept",
    "payment_refunded",
    changed("payment_refunded", "refunded_minor = 0", "refunded_minor > 0"),
    /^kept as refunded of \S+: 0 here, 1000 there$/,
  ],
  ["3: a dispute is gone", "disputes", deleted("disputes"), /^disputed of \S+: 0 here, 2000 there$/],
  ["3: a payout is gone", "payouts", deleted("payouts"), /^payout \S+ of \d+ usd is not known$/],
  [
    "3: a payout is of another amount",
    "payouts",
    changed("payouts", "amount_minor = amount_minor - 1"),
    /^payout \S+: paid \d+ USD here, paid \d+ USD there$/,
  ],
  [
    "4: an attempt is unknown",
    "payment_attempts",
    changed("payment_attempts", "state = 'unknown'", "state = 'failed'"),
    /^it is not known what became of attempt/,
  ],
  [
    "4: an attempt is pending",
    "payment_attempts",
    changed("payment_attempts", "state = 'pending'", "state = 'failed'"),
    /is pending, and nobody sends it$/,
  ],
  [
    "4: an attempt waits for its customer",
    "payment_attempts",
    changed("payment_attempts", "state = 'requires_action'", "state = 'failed'"),
    /^open attempt \S+: requires_action here, \S+ there$/,
  ],
  [
    "5: a receivable is paid less",
    "receivables",
    changed("receivables", "paid_minor = paid_minor - 1", "paid_minor > 0"),
    /^receivable \S+: paid: 1999 here, 2000 there$/,
  ],
  [
    "5: a receivable is of another state",
    "receivables",
    changed("receivables", "state = 'open'", "state = 'paid'"),
    /^receivable \S+: state: open here, paid there$/,
  ],
  [
    "5: a receivable is due more",
    "receivables",
    changed("receivables", "due_minor = due_minor + 1"),
    /^receivable \S+: due: 2001 here, 2000 there$/,
  ],
  [
    "5: an allocation is gone",
    "payment_allocations",
    deleted("payment_allocations"),
    /^payment \S+: 2000 here, 0 there$/,
  ],
  [
    "6: a message is gone",
    "webhook_messages",
    deleted("webhook_messages", "type = 'payment.succeeded'"),
    /^not told: payment.succeeded/,
  ],
  [
    "6: what was not so is told",
    "webhook_messages",
    changed(
      "webhook_messages",
      "type = 'payment.succeeded', key = 'payment.succeeded:pay_made_up'",
      "type = 'payment.failed'",
    ),
    /^told, and is not so: payment.succeeded payment.succeeded:pay_made_up$/,
  ],
  [
    "7: an event was not acted on",
    "webhook_inbox",
    changed("webhook_inbox", "state = 'pending'"),
    /^event \S+ was not acted on$/,
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

test("1: an invoice is paid twice", async () => {
  const { of } = kept;
  const paid = await of.first(
    (sql) =>
      sql<{ id: string }[]>`SELECT target AS id FROM payment_attempts WHERE state = 'succeeded' LIMIT 1`,
  );
  await of.provider.ask("POST", "/v1/payment_intents", {
    amount: "2000",
    currency: "usd",
    customer: of.refOf(0) ?? "",
    payment_method: of.provider.methodOf("4242424242424242"),
    confirm: "true",
    off_session: "true",
    "automatic_payment_methods[enabled]": "true",
    "automatic_payment_methods[allow_redirects]": "never",
    "metadata[weir_target]": paid?.id ?? "",
  });
  const found = await violations(of);
  expect(found).toContainEqual(expect.stringMatching(/took 2000 for no attempt$/));
  expect(found).toContainEqual(`invoice ${paid?.id} is of 2000, and 4000 were captured for it`);
});

test("7: a run failed", async () => {
  const { of } = kept;
  await batch.tamper(
    (sql) => sql`
    UPDATE weir_workflow.workflow_status SET status = 'ERROR' WHERE ctid = (
      SELECT ctid FROM weir_workflow.workflow_status WHERE authenticated_user = ${of.organization} LIMIT 1)`,
  );
  expect(await violations(of)).toContainEqual(expect.stringMatching(/^run \S+ is failed/));
});
