import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { formatInstant, parseInstant, type Instant } from "../../src/kernel/instant.js";
import { formatDate } from "../../src/kernel/local-date.js";
import { camtFile } from "../support/settlement/camt-file.js";
import { openSettlementWorld, type SettlementWorld } from "../support/settlement/settlement-world.js";
import { payout_columns, stripeReport, type StripeRow } from "../support/settlement/stripe-report.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let world: SettlementWorld;
let worlds = 0;

beforeAll(async () => {
  weir = await startTestWeir("reconciliation");
});
afterAll(() => weir?.close());
beforeEach(async () => {
  worlds += 1;
  world = await openSettlementWorld(weir, `reconciliation-${worlds}`);
});

const reconciliation = () => weir.weir.services.settlement.reconciliation;
const instant = (text: string): Instant => {
  const parsed = parseInstant(text);
  if (parsed === undefined) throw new Error(`no instant ${text}`);
  return parsed;
};
const report = (...rows: StripeRow[]) => Buffer.concat([...stripeReport(payout_columns, rows)]).toString();
const charge: StripeRow = {
  id: "txn_1",
  category: "charge",
  currency: "EUR",
  gross: 1_000n,
  fee: 30n,
  source: "ch_1",
  payment: "pi_1",
  payout: "po_1",
};
const payout: StripeRow = {
  id: "txn_p",
  category: "payout",
  currency: "EUR",
  gross: -970n,
  fee: 0n,
  source: "po_1",
  payout: "po_1",
};
const statement = (text: string) =>
  Buffer.concat([
    ...camtFile({
      id: "MSG-1",
      statements: [
        {
          id: "STMT-1",
          account: "NL91ABNA0417164300",
          currency: "EUR",
          sequence: 1,
          opening: 0n,
          entries: () => [{ amount: 970n, credit: true, text, reference: "B/1" }],
        },
      ],
    }),
  ]).toString();
const open = async () => {
  const { exceptions } = weir.weir.services.settlement;
  return exceptions.list(world.organization, { state: "open", limit: 50 });
};
/** Day, begin and end of every report, oldest first. */
const days = async () => {
  const reports = await reconciliation().reports(world.organization, { limit: 50 });
  return reports
    .reverse()
    .map(({ day, from, to }) => `${formatDate(day)} ${formatInstant(from)} ${formatInstant(to)}`);
};

describe("the report of a day", () => {
  test("every day has its report, also those that the clock jumped over, and changing the zone leaves no gap", async () => {
    await world.capture("pi_1", 1_000n);
    await world.settle(world.stripe, "a.csv", report(charge));
    expect(await days()).toEqual([]);
    await world.advance("2026-03-04T12:00:00Z");
    expect(await days()).toEqual([
      "2026-03-01 2026-03-01T00:00:00Z 2026-03-02T00:00:00Z",
      "2026-03-02 2026-03-02T00:00:00Z 2026-03-03T00:00:00Z",
      "2026-03-03 2026-03-03T00:00:00Z 2026-03-04T00:00:00Z",
    ]);
    // Summer time begins there on 8 March.
    await reconciliation().setSettings(world.caller, { timeZone: "America/New_York" });
    await world.advance("2026-03-06T12:00:00Z");
    await reconciliation().setSettings(world.caller, { timeZone: "Asia/Tokyo" });
    await world.advance("2026-03-07T15:00:00Z");
    expect((await days()).slice(3)).toEqual([
      "2026-03-04 2026-03-04T00:00:00Z 2026-03-05T05:00:00Z",
      "2026-03-05 2026-03-05T05:00:00Z 2026-03-06T05:00:00Z",
      "2026-03-06 2026-03-06T05:00:00Z 2026-03-06T15:00:00Z",
      "2026-03-07 2026-03-06T15:00:00Z 2026-03-07T15:00:00Z",
    ]);
  });

  test("a zone in which the day is over already has its report at once", async () => {
    await reconciliation().setSettings(world.caller, { timeZone: "Pacific/Honolulu" });
    await world.advance("2026-03-01T20:00:00Z");
    await reconciliation().setSettings(world.caller, { timeZone: "Asia/Tokyo" });
    await world.advance("2026-03-01T20:00:01Z");
    expect(await days()).toEqual(["2026-03-01 2026-02-28T15:00:00Z 2026-03-01T15:00:00Z"]);
  });

  test("says what moved on that day, by account, and what was open then; it is found by its day", async () => {
    await world.capture("pi_1", 1_000n);
    await world.settle(
      world.stripe,
      "a.csv",
      report(charge, {
        id: "txn_a",
        category: "other_adjustment",
        currency: "EUR",
        gross: -100n,
        fee: 0n,
      }),
    );
    await world.advance("2026-03-02T00:00:00Z");
    const found = await reconciliation().findReport(world.organization, "2026-03-01");
    expect(found?.report).toMatchObject({
      accounts: expect.arrayContaining([
        expect.objectContaining({
          account: expect.objectContaining({ key: "stripe", side: "provider" }) as object,
          lines: expect.arrayContaining([
            {
              line: "charges",
              currency: "EUR",
              books: { count: 1, minor: "1000" },
              reported: { count: 1, minor: "1000" },
              difference: "0",
            },
            expect.objectContaining({ line: "other", difference: "-100" }),
          ]) as object,
          exceptions: [{ kind: "unmatched", currency: "EUR", count: 1, suspense: "-100" }],
        }),
      ]) as object,
      files: [{ account: world.stripe, state: "posted", count: 1 }],
    });
    expect(await reconciliation().findReport(world.organization, found?.id ?? "")).toEqual(found);
  });

  test("what the settings cannot be is refused, every fault by its field", async () => {
    await expect(
      reconciliation().setSettings(world.caller, {
        timeZone: "Mars/Olympus",
        fileLagDays: 0,
        bankLagDays: 61,
      }),
    ).rejects.toMatchObject({
      slug: "invalid-reconciliation-settings",
      problem: { errors: [{ field: "timeZone" }, { field: "fileLagDays" }, { field: "bankLagDays" }] },
    });
    expect(await reconciliation().settings(world.organization)).toEqual({
      timeZone: "UTC",
      fileLagDays: 7,
      bankLagDays: 7,
    });
  });
});

describe("what should have turned up", () => {
  test("a charge that no file has by then is missing, until its file comes", async () => {
    const payment = await world.capture("pi_1", 1_000n);
    await reconciliation().setSettings(world.caller, { fileLagDays: 2 });
    await world.advance("2026-03-03T00:00:00Z");
    expect(await open()).toEqual([]);
    await world.advance("2026-03-06T00:00:00Z");
    expect(await open()).toMatchObject([
      {
        kind: "missing_in_file",
        account: world.stripe,
        target: { kind: "payment", id: payment },
        amount: { currency: "EUR", minor: 1_000n },
        suspense: 0n,
        happenedAt: instant("2026-03-01T12:00:00Z"),
        openedAt: instant("2026-03-04T00:00:00Z"),
      },
    ]);
    await world.settle(world.stripe, "a.csv", report(charge));
    await world.advance("2026-03-08T00:00:00Z");
    expect(await open()).toEqual([]);
  });

  test("a payout that no statement has by then is late, until its line comes", async () => {
    await world.capture("pi_1", 1_000n);
    await reconciliation().setSettings(world.caller, { bankLagDays: 2 });
    await world.settle(world.stripe, "a.csv", report(charge, payout));
    await world.advance("2026-03-06T00:00:00Z");
    expect(await open()).toMatchObject([
      { kind: "late", account: world.stripe, amount: { currency: "EUR", minor: 970n }, suspense: 0n },
    ]);
    await world.settle(world.bank, "camt.xml", statement("STRIPE po_1"));
    await world.advance("2026-03-08T00:00:00Z");
    expect(await open()).toEqual([]);
  });
});

describe("our books, the files and the bank, side by side", () => {
  const march = { from: instant("2026-03-01T00:00:00Z"), to: instant("2026-04-01T00:00:00Z") };
  const stripeLines = async () => {
    const { accounts } = await reconciliation().compare(world.organization, { account: "stripe", ...march });
    return accounts[0]?.lines.map(({ line, books, reported, bank, difference }) => [
      line,
      books.minor,
      reported.minor,
      bank?.minor,
      difference,
    ]);
  };

  test("they agree when everything came: charge, fee, payout and the bank's line", async () => {
    await world.capture("pi_1", 1_000n);
    expect(await stripeLines()).toEqual([["charges", 1_000n, 0n, undefined, -1_000n]]);
    await world.settle(world.stripe, "a.csv", report(charge, payout));
    expect(await stripeLines()).toEqual([
      ["charges", 1_000n, 1_000n, undefined, 0n],
      ["fees", -30n, -30n, undefined, 0n],
      ["payouts", -970n, -970n, 0n, 0n],
    ]);
    await world.settle(world.bank, "camt.xml", statement("STRIPE po_1"));
    expect((await stripeLines())?.at(-1)).toEqual(["payouts", -970n, -970n, -970n, 0n]);
  });

  test("what the books do not have is the difference, with the exceptions behind it and what the ledger holds", async () => {
    await world.capture("pi_1", 1_000n);
    const unknown = { ...charge, id: "txn_2", source: "ch_2", payment: "pi_2", gross: 500n, fee: 20n };
    await world.settle(world.stripe, "a.csv", report(charge, unknown));
    const { accounts } = await reconciliation().compare(world.organization, { account: "stripe", ...march });
    expect(accounts).toMatchObject([
      {
        account: { id: world.stripe, key: "stripe", side: "provider" },
        balances: expect.arrayContaining([
          { account: `provider_clearing:${world.stripe}`, currency: "EUR", minor: 970n + 480n },
        ]) as object,
        exceptions: [{ kind: "unmatched", currency: "EUR", count: 1, suspense: 500n }],
      },
    ]);
    expect((await stripeLines())?.[0]).toEqual(["charges", 1_000n, 1_500n, undefined, 500n]);
  });

  test("an empty period and an unknown account are refused", async () => {
    const at = march.from;
    await expect(reconciliation().compare(world.organization, { from: at, to: at })).rejects.toMatchObject({
      slug: "invalid-period",
    });
    await expect(
      reconciliation().compare(world.organization, { account: "adyen", ...march }),
    ).rejects.toMatchObject({ slug: "provider-account-not-found" });
  });
});
