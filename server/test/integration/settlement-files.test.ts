import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { creditorReferenceOf } from "../../src/payments/core/index.js";
import { openSettlementWorld, type SettlementWorld } from "../support/settlement/settlement-world.js";
import { payout_columns, stripeReport, type StripeRow } from "../support/settlement/stripe-report.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";
import { charge, report, statement } from "../support/settlement/small-files.js";

let weir: TestWeir;
let world: SettlementWorld;
let worlds = 0;

beforeAll(async () => {
  weir = await startTestWeir("settlement-files");
});
afterAll(() => weir?.close());
beforeEach(async () => {
  worlds += 1;
  world = await openSettlementWorld(weir, `settlement-files-${worlds}`);
});

describe("a provider's report", () => {
  test("settles what our books have: fees are posted, the provider's balance is ours, and nothing is open", async () => {
    await world.capture("pi_1", 1_000n);
    await world.capture("pi_2", 2_000n);
    const file = await world.settle(world.stripe, "balance.csv", report(charge(1), charge(2, 2_000n, 60n)));
    expect(file).toMatchObject({
      state: "posted",
      format: "stripe-balance-change",
      records: 2,
      matched: 2,
      unmatched: 0,
      posted: 2,
    });
    expect(await world.said()).toEqual([]);
    expect(await world.balance(`provider_clearing:${world.stripe}`)).toBe(2_910n);
    expect(await world.balance("provider_fees")).toBe(90n);
    await world.checkBooks();
  });

  test("what it does not name waits in suspense, each with a reason, and the provider's balance is ours all the same", async () => {
    await world.capture("pi_1", 1_000n);
    const file = await world.settle(
      world.stripe,
      "balance.csv",
      report(charge(1), charge(7, 500n, 20n), {
        id: "txn_a",
        category: "other_adjustment",
        currency: "EUR",
        gross: -100n,
        fee: 0n,
      }),
    );
    expect(file).toMatchObject({ state: "posted", records: 3, matched: 3, unmatched: 2 });
    expect(await world.said()).toEqual(["unmatched 500 500", "unmatched -100 -100"]);
    expect(await world.balance(`provider_clearing:${world.stripe}`)).toBe(970n + 480n - 100n);
    expect(await world.balance("suspense")).toBe(400n);
    await world.checkBooks();
  });

  test("the same file again is the one that is there, and is not read again; for another account it is refused", async () => {
    await world.capture("pi_1", 1_000n);
    const first = await world.settle(world.stripe, "one.csv", report(charge(1)));
    const again = await world.land(world.stripe, "two.csv", report(charge(1)));
    expect(again).toMatchObject({ isNew: false, file: { id: first.id, state: "posted", attempt: 1 } });
    await expect(world.land(world.bank, "one.csv", report(charge(1)))).rejects.toMatchObject({
      slug: "settlement-file-of-other-account",
    });
    expect(await weir.weir.services.settlement.files.list(world.organization, { limit: 10 })).toHaveLength(1);
  });

  test("a movement that comes in several files is posted once; one that is told otherwise is for a person", async () => {
    await world.capture("pi_1", 1_000n);
    await world.capture("pi_2", 2_000n);
    await world.settle(world.stripe, "first.csv", report(charge(1)));
    const second = await world.settle(world.stripe, "second.csv", report(charge(1), charge(2, 2_000n, 60n)));
    expect(second).toMatchObject({ state: "posted", records: 2, repeated: 1 });
    expect(await world.said()).toEqual([]);
    expect(await world.balance("provider_fees")).toBe(90n);
    await world.settle(world.stripe, "third.csv", report(charge(2, 2_000n, 70n)));
    expect(await world.said()).toEqual(["amount_differs 2000 0"]);
    expect(await world.balance("provider_fees")).toBe(90n);
    await world.checkBooks();
  });

  test("the same movement twice in one file: the second waits, and is never dropped", async () => {
    await world.capture("pi_1", 1_000n);
    const file = await world.settle(world.stripe, "twice.csv", report(charge(1), charge(1)));
    expect(file).toMatchObject({ state: "posted", records: 2, repeated: 0, unmatched: 1 });
    expect(await world.said()).toEqual(["duplicate 1000 1000"]);
  });

  test("a payout leaves the provider, what it is made of adds up, and the bank's line receives it", async () => {
    await world.capture("pi_1", 1_000n);
    const rows: StripeRow[] = [
      { ...charge(1), payout: "po_1" },
      {
        id: "txn_p",
        category: "payout",
        currency: "EUR",
        gross: -970n,
        fee: 0n,
        source: "po_1",
        payout: "po_1",
      },
    ];
    await world.settle(
      world.stripe,
      "payouts.csv",
      Buffer.concat([...stripeReport(payout_columns, rows)]).toString(),
    );
    expect(await world.said()).toEqual([]);
    expect(await world.balance(`provider_clearing:${world.stripe}`)).toBe(0n);
    expect(await world.balance(`payouts_in_transit:${world.stripe}`)).toBe(970n);
    const line = { amount: 970n, credit: true, text: "STRIPE PAYOUT po_1", reference: "B/1" };
    const bank = await world.settle(world.bank, "camt.xml", statement([line]));
    expect(bank).toMatchObject({ state: "posted", format: "camt.053", unmatched: 0 });
    expect(await world.balance(`payouts_in_transit:${world.stripe}`)).toBe(0n);
    expect(await world.balance(`cash:${world.bank}`)).toBe(970n);
    await world.checkBooks();
  });

  test("a payout that is not what its records come to is an exception, until the file with the missing one comes", async () => {
    await world.capture("pi_1", 1_000n);
    await world.capture("pi_2", 500n);
    const payout: StripeRow = {
      id: "txn_p",
      category: "payout",
      currency: "EUR",
      gross: -1_460n,
      fee: 0n,
      source: "po_1",
      payout: "po_1",
    };
    const file = (...rows: StripeRow[]) => Buffer.concat([...stripeReport(payout_columns, rows)]).toString();
    await world.settle(world.stripe, "a.csv", file({ ...charge(1), payout: "po_1" }, payout));
    expect(await world.said()).toEqual(["payout_differs 490 0"]);
    await world.settle(world.stripe, "b.csv", file({ ...charge(2, 500n, 10n), payout: "po_1" }));
    expect(await world.said()).toEqual([]);
    expect((await world.exceptions({ state: "resolved" })).map(({ resolution }) => resolution?.kind)).toEqual(
      ["gone"],
    );
  });

  test("a chargeback opens a dispute and takes its fee; its reversal wins it", async () => {
    await world.capture("pi_1", 1_000n);
    const dispute = (id: string, category: string, gross: bigint, fee: bigint): StripeRow => ({
      id,
      category,
      currency: "EUR",
      gross,
      fee,
      source: "dp_1",
      payment: "pi_1",
    });
    await world.settle(
      world.stripe,
      "a.csv",
      report(charge(1), dispute("txn_d", "dispute", -1_000n, 1_500n)),
    );
    expect(await world.said()).toEqual([]);
    expect(await world.balance(`disputes:${world.stripe}`)).toBe(1_000n);
    expect(await world.balance("provider_fees")).toBe(1_530n);
    await world.settle(world.stripe, "b.csv", report(dispute("txn_w", "dispute_reversal", 1_000n, 0n)));
    expect(await world.said()).toEqual([]);
    expect(await world.balance(`disputes:${world.stripe}`)).toBe(0n);
    expect(await world.balance(`provider_clearing:${world.stripe}`)).toBe(970n - 1_500n);
    await world.checkBooks();
  });

  test("charged in one currency, settled in another: two balanced legs, by the amounts that the file gives", async () => {
    await world.capture("pi_1", 1_000n, "EUR");
    const row: StripeRow = {
      ...charge(1),
      currency: "USD",
      gross: 1_080n,
      fee: 31n,
      presented: { currency: "EUR", amount: 1_000n },
    };
    await world.settle(world.stripe, "usd.csv", report(row));
    expect(await world.said()).toEqual([]);
    expect(await world.balance(`provider_clearing:${world.stripe}`, "EUR")).toBe(0n);
    expect(await world.balance(`provider_clearing:${world.stripe}`, "USD")).toBe(1_049n);
    await world.checkBooks();
  });

  test("a charge in another currency than ours is not matched to it", async () => {
    await world.capture("pi_1", 1_000n, "EUR");
    await world.settle(world.stripe, "usd.csv", report({ ...charge(1), currency: "USD" }));
    expect(await world.said()).toEqual(["currency_differs 1000 1000"]);
    expect(await world.balance("suspense", "USD")).toBe(1_000n);
    await world.checkBooks();
  });

  test("a file with a header only is valid, and changes nothing", async () => {
    const file = await world.settle(world.stripe, "empty.csv", report());
    expect(file).toMatchObject({ state: "posted", records: 0, unmatched: 0 });
    expect(await world.said()).toEqual([]);
  });

  test("a bad row is an exception with its line, and the others are posted", async () => {
    await world.capture("pi_1", 1_000n);
    const bad = { ...charge(2), net: 999n };
    const file = await world.settle(world.stripe, "bad.csv", report(charge(1), bad, charge(3, 100n, 3n)));
    expect(file).toMatchObject({ state: "posted", records: 2 });
    const [row, unmatched] = await world.exceptions();
    expect([row?.kind, unmatched?.kind].sort()).toEqual(["bad_row", "unmatched"]);
    expect((await world.exceptions()).find(({ kind }) => kind === "bad_row")?.reason).toMatch(/Line 3/);
  });

  test("what is in the books stays: its records cannot be deleted", async () => {
    const { id } = await world.settle(world.stripe, "a.csv", report(charge(1)));
    const { postgres } = weir.weir.services;
    for (const table of ["settlement_records", "settlement_allotments"]) {
      const deletion = postgres.inOrganization(
        world.organization,
        (sql) => sql`DELETE FROM ${sql(table)} WHERE file = ${id}`,
      );
      await expect(deletion).rejects.toThrow(/refused: the file is in the books/);
    }
    expect(
      await weir.weir.services.settlement.files.records(world.organization, id, { limit: 9 }),
    ).toHaveLength(1);
  });

  test("a file that is none is refused whole, with the reason, and nothing of it is kept", async () => {
    const file = await world.settle(world.stripe, "notes.txt", "Dear Sirs,\nplease find attached nothing.\n");
    expect(file).toMatchObject({
      state: "refused",
      refusal: { detail: expect.stringContaining("no known format") as string },
    });
    expect(await world.said()).toEqual([]);
  });

  test("a bank's statement is refused on a provider's account, and the other way round", async () => {
    const file = await world.settle(world.stripe, "camt.xml", statement([]));
    expect(file).toMatchObject({
      state: "refused",
      refusal: { detail: expect.stringContaining("bank's statement") as string },
    });
    const other = await world.settle(world.bank, "balance.csv", report(charge(1)));
    expect(other.state).toBe("refused");
  });
});

describe("a bank's statement", () => {
  test("pays the invoice that a structured reference names, and what is too much is the customer's balance", async () => {
    const { number } = await world.invoice();
    const structured = creditorReferenceOf(number) ?? "";
    const file = await world.settle(
      world.bank,
      "camt.xml",
      statement([{ amount: 2_500n, credit: true, structured, reference: "B/1", name: "ACME GMBH" }]),
    );
    expect(file).toMatchObject({ state: "posted", unmatched: 0 });
    expect(await world.said()).toEqual([]);
    expect(await world.balance(`receivable:${world.customer}`)).toBe(0n);
    expect(await world.balance(`customer_balance:${world.customer}`)).toBe(500n);
    expect(await world.balance(`cash:${world.bank}`)).toBe(2_500n);
    await world.checkBooks();
  });

  test("one that does not foot is held, whole, until a person accepts it; then it is posted", async () => {
    const { number } = await world.invoice();
    const wrong = statement([{ amount: 2_000n, credit: true, text: `Invoice ${number}`, reference: "B/1" }], {
      closing: 99n,
    });
    const file = await world.settle(world.bank, "camt.xml", wrong);
    expect(file.state).toBe("held");
    expect(await world.said()).toEqual(["file_check_failed - 0"]);
    expect(await world.balance(`cash:${world.bank}`)).toBe(0n);
    const { settlement } = weir.weir.services;
    expect(await settlement.files.records(world.organization, file.id, { limit: 10 })).toEqual([]);
    await settlement.fileDecisions.accept(world.caller, {
      file: file.id,
      reason: "the bank says that it is right",
    });
    expect(await world.ended(file.id)).toMatchObject({ state: "posted", attempt: 2, unmatched: 0 });
    expect(await world.said()).toEqual([]);
    expect(await world.balance(`receivable:${world.customer}`)).toBe(0n);
    await world.checkBooks();
  });

  test("a file replayed under its sender's name, with other bytes, is held, and a corrected one can take a discarded one's place", async () => {
    const line = { amount: 100n, credit: true, reference: "B/1" };
    await world.settle(world.bank, "one.xml", statement([line]));
    const replayed = await world.settle(
      world.bank,
      "two.xml",
      statement([line, { ...line, reference: "B/2" }]),
    );
    expect(replayed.state).toBe("held");
    expect((await world.exceptions()).map(({ kind }) => kind)).toContain("file_replayed");
    const { settlement } = weir.weir.services;
    await settlement.fileDecisions.discard(world.caller, { file: replayed.id, reason: "sent twice" });
    expect(await world.ended(replayed.id)).toMatchObject({ state: "refused" });
    expect((await world.exceptions()).map(({ kind }) => kind)).not.toContain("file_replayed");
    const next = await world.settle(
      world.bank,
      "three.xml",
      statement([{ ...line, reference: "B/2" }], { id: "STMT-2", sequence: 2 }),
    );
    expect(next.state).toBe("posted");
  });

  test("a gap in the file sequence is an exception, and ends when the missing file comes", async () => {
    const at = (sequence: number) =>
      statement([{ amount: 100n, credit: true, reference: `B/${sequence}` }], {
        id: `STMT-${sequence}`,
        sequence,
      });
    await world.settle(world.bank, "1.xml", at(1));
    await world.settle(world.bank, "5.xml", at(5));
    const gaps = async () =>
      (await world.exceptions()).filter(({ kind }) => kind === "sequence_gap").map(({ reason }) => reason);
    expect(await gaps()).toEqual([expect.stringMatching(/numbers 2 to 4 are missing/)]);
    await world.settle(world.bank, "3.xml", at(3));
    expect(await gaps()).toEqual([
      expect.stringMatching(/number 2 is missing/),
      expect.stringMatching(/number 4 is missing/),
    ]);
    await world.settle(world.bank, "2.xml", at(2));
    await world.settle(world.bank, "4.xml", at(4));
    expect(await gaps()).toEqual([]);
  });

  test("a statement of another account than ours is held", async () => {
    const file = await world.settle(
      world.bank,
      "camt.xml",
      statement([], { account: "DE89370400440532013000" }),
    );
    expect(file.state).toBe("held");
    expect((await world.exceptions())[0]?.reason).toMatch(/DE89370400440532013000/);
  });
});
