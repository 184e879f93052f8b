import { expect, test } from "vitest";
import { parseCurrency } from "../../kernel/currency.js";
import type { Instant } from "../../kernel/instant.js";
import { FileRefused } from "./file-refused.js";
import { SummaryBuilder } from "./file-summary.js";
import { limits } from "./settlement-format.js";
import type { SettlementRecord } from "./settlement-record.js";

const money = (minor: bigint, code = "EUR") => ({ currency: parseCurrency(code)!, minor });

const record = (more: Partial<SettlementRecord>): SettlementRecord => ({
  position: { record: 1 },
  key: "k",
  kind: "charge",
  gross: money(100n),
  at: 5 as Instant,
  references: {},
  original: {},
  ...more,
});

const build = (summary: SummaryBuilder) => summary.build({ format: "camt.053", variant: "test" });

test("totals are by currency: gross, fee and net each in the one that they are in", () => {
  const summary = new SummaryBuilder();
  summary.add(
    record({
      gross: money(100n, "USD"),
      settled: money(90n),
      fee: money(5n),
      net: money(85n),
      at: 9 as Instant,
    }),
  );
  summary.add(record({ gross: money(-30n), fee: money(0n), net: money(-30n), kind: "refund" }));
  expect(build(summary)).toMatchObject({
    records: 2,
    kinds: { charge: 1, refund: 1 },
    totals: [
      { currency: "EUR", records: 1, gross: -30n, fee: 5n, net: 55n },
      { currency: "USD", records: 1, gross: 100n, fee: 0n, net: 0n },
    ],
    from: 5,
    to: 9,
  });
});

test("checks are named one by one up to a limit, and counted beyond it", () => {
  const summary = new SummaryBuilder();
  for (let at = 0; at < limits.checks_max + 3; at += 1)
    summary.check(`check ${at}`, "1", at === limits.checks_max ? "2" : "1");
  const { checks } = build(summary);
  expect(checks).toHaveLength(limits.checks_max + 1);
  expect(checks.at(-1)).toEqual({
    name: "3 further checks",
    expected: "all passed",
    found: "1 failed",
    ok: false,
  });
});

test("what is left out is counted by name, up to a limit of names", () => {
  const summary = new SummaryBuilder();
  for (let at = 0; at < limits.left_out_names_max + 5; at += 1) summary.leaveOut(`kind ${at}`);
  summary.leaveOut("kind 0");
  const { leftOut } = build(summary);
  expect(leftOut["kind 0"]).toBe(2);
  expect(leftOut["other"]).toBe(5);
});

test("a key that is longer than any index allows refuses the file, with its place", () => {
  const long = record({ key: "x".repeat(limits.key_characters_max + 1), position: { record: 7, line: 9 } });
  expect(() => new SummaryBuilder().add(long)).toThrow(FileRefused);
  expect(() => new SummaryBuilder().add(long)).toThrow(/line 9, record 7/);
});

test("a refusal says where, what and what to do", () => {
  const refusal = new FileRefused({
    line: 3,
    record: 2,
    field: "column 1 (a)",
    detail: "it is wrong",
    advice: "Mend it",
  });
  expect(refusal.message).toBe("line 3, record 2, column 1 (a): it is wrong. Mend it.");
  expect(new FileRefused({ detail: "it is wrong", advice: "Mend it" }).message).toBe("it is wrong. Mend it.");
});
