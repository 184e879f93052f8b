import { describe, expect, test } from "vitest";
import {
  aContract,
  aCoupon,
  anAddOn,
  aPlan,
  aPrice,
  at,
  Billed,
  d,
  flat,
  graduated,
  perUnit,
  said,
  scopeOf,
} from "../../../test/support/billing-contract.js";
import { newId } from "../../kernel/ids.js";
import { day } from "../../kernel/instant.js";

const fee = aPrice({ key: "fee", model: flat("31") });
const tokens = aPrice({ key: "tokens", charge: "usage", model: perUnit("0.01") });
const basic = aPlan({ prices: [fee, tokens] });
const pro = aPlan({ prices: [aPrice({ key: "pro-fee", model: flat("62") })] });
const used = (time: string, value: string, priceKey = "tokens") => ({
  priceKey,
  time: at(time),
  value: d(value),
});

describe("what an invoice bears", () => {
  test("the first has the fee in advance; a month's has its usage and the next month's fee", () => {
    const contract = aContract({ startedAt: at("2026-01-01"), phases: [{ plan: basic }] });
    const billed = new Billed();
    expect(said(billed.bill(contract, scopeOf(contract, "start", at("2026-01-01"))))).toEqual(["fee 31.00"]);
    const lines = billed.bill(contract, scopeOf(contract, "period", at("2026-01-15")), [
      used("2026-01-31T23:59:59Z", "1234"),
      used("2026-02-01T00:00:00Z", "9"),
    ]);
    expect(said(lines)).toEqual(["fee 31.00", "tokens 12.34"]);
    expect(lines.map(({ covered }) => covered.start)).toEqual([at("2026-02-01"), at("2026-01-01")]);
  });

  test("a short first month has its share of the fee, both days included; usage is no share", () => {
    const contract = aContract({ startedAt: at("2026-01-22"), phases: [{ plan: basic }] });
    const billed = new Billed();
    expect(said(billed.bill(contract, scopeOf(contract, "start", at("2026-01-22"))))).toEqual(["fee 10.00"]);
  });

  test("the last month runs to the day of termination, which is included", () => {
    const contract = aContract({
      startedAt: at("2026-01-01"),
      endsAt: at("2026-02-15"),
      phases: [{ plan: aPlan({ prices: [{ ...fee, timing: "arrears" }, tokens] }) }],
    });
    const billed = new Billed();
    billed.bill(contract, scopeOf(contract, "period", at("2026-01-01")));
    const lines = billed.bill(contract, scopeOf(contract, "period", at("2026-02-01")), [
      used("2026-02-14T12:00:00Z", "100"),
      used("2026-02-15T00:00:00Z", "100"),
    ]);
    expect(said(lines)).toEqual(["fee 15.50", "tokens 1.00"]);
  });

  test("nothing is charged for a trial; the fee after it begins with the day that it ends on", () => {
    const contract = aContract({
      startedAt: at("2026-01-01"),
      trialEnd: at("2026-01-22"),
      phases: [{ plan: basic }],
    });
    const billed = new Billed();
    expect(said(billed.bill(contract, scopeOf(contract, "start", at("2026-01-22"))))).toEqual(["fee 10.00"]);
    const lines = billed.bill(contract, scopeOf(contract, "period", at("2026-01-01")), [
      used("2026-01-21T00:00:00Z", "100"),
      used("2026-01-22T00:00:00Z", "1"),
    ]);
    expect(said(lines)).toEqual(["fee 31.00", "tokens 0.01"]);
  });

  test("a one-off charge is billed once", () => {
    const setUp = aPrice({ key: "set-up", charge: "one_off", model: flat("99") });
    const contract = aContract({
      startedAt: at("2026-01-22"),
      phases: [{ plan: aPlan({ prices: [setUp, fee] }) }],
    });
    const billed = new Billed();
    expect(said(billed.bill(contract, scopeOf(contract, "start", at("2026-01-22"))))).toEqual([
      "set-up 99.00",
      "fee 10.00",
    ]);
    expect(said(billed.bill(contract, scopeOf(contract, "period", at("2026-01-22"))))).toEqual(["fee 31.00"]);
  });

  test("yearly fees stand on the invoice that begins their year, monthly usage on each", () => {
    const yearly = aPlan({ interval: "year", prices: [{ ...fee, interval: "year" }, tokens] });
    const contract = aContract({ startedAt: at("2026-01-01"), phases: [{ plan: yearly }] });
    const billed = new Billed();
    expect(said(billed.bill(contract, scopeOf(contract, "start", at("2026-01-01"))))).toEqual(["fee 31.00"]);
    for (const month of ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11"])
      expect(said(billed.bill(contract, scopeOf(contract, "period", at(`2026-${month}-01`))))).toEqual([
        "tokens 0.00",
      ]);
    expect(said(billed.bill(contract, scopeOf(contract, "period", at("2026-12-01"))))).toEqual([
      "fee 31.00",
      "tokens 0.00",
    ]);
  });
});

describe("changes", () => {
  test("an upgrade gives back the rest of the old fee and charges the rest of the new one", () => {
    const before = aContract({ startedAt: at("2026-01-01"), phases: [{ plan: basic }] });
    const after = aContract({
      startedAt: at("2026-01-01"),
      phases: [{ plan: basic }, { from: at("2026-01-22"), plan: pro }],
    });
    const billed = new Billed();
    billed.bill(before, scopeOf(before, "start", at("2026-01-01")));
    const lines = billed.bill(after, scopeOf(after, "period", at("2026-01-01")), [
      used("2026-01-21T23:59:59Z", "100"),
      used("2026-01-22T00:00:00Z", "1000"),
    ]);
    expect(said(lines)).toEqual(["fee -10.00", "tokens 1.00", "pro-fee 20.00", "pro-fee 62.00"]);
  });

  test("a fee that was billed in advance is given back when the subscription ends before", () => {
    const before = aContract({ startedAt: at("2026-01-01"), phases: [{ plan: basic }] });
    const billed = new Billed();
    billed.bill(before, scopeOf(before, "period", at("2026-01-01")));
    const after = aContract({
      startedAt: at("2026-01-01"),
      endsAt: at("2026-02-01"),
      phases: [{ plan: basic }],
    });
    const closing = billed.bill(after, scopeOf(after, "closing", at("2026-02-01"), at("2026-02-01")));
    expect(said(closing)).toEqual(["fee -31.00"]);
  });

  test("what comes late after the end is billed, though the closing invoice is made a month later", () => {
    const contract = aContract({
      startedAt: at("2026-01-01"),
      endsAt: at("2026-02-06"),
      phases: [{ plan: basic }],
    });
    const billed = new Billed();
    const lookback = 35 * day;
    const scopes = [
      { ...scopeOf(contract, "period", at("2026-01-01")), lookback },
      { ...scopeOf(contract, "period", at("2026-02-01"), at("2026-02-01")), lookback },
    ];
    for (const scope of scopes) billed.bill(contract, scope);
    const closing = { ...scopeOf(contract, "closing", at("2026-03-09"), at("2026-02-06")), lookback };
    // Used on 10 January, and reported on 7 February.
    expect(said(billed.bill(contract, closing, [used("2026-01-10T00:00:00Z", "500")]))).toEqual([
      "tokens 5.00",
    ]);
  });

  test("seats are charged for the days they are held", () => {
    const seats = aPrice({ key: "seats", charge: "licensed", model: perUnit("31") });
    const contract = aContract({
      startedAt: at("2026-01-01"),
      phases: [{ plan: aPlan({ prices: [{ ...seats, timing: "arrears" }] }) }],
      quantities: [
        { priceKey: "seats", at: at("2026-01-01"), quantity: d(2) },
        { priceKey: "seats", at: at("2026-01-11"), quantity: d(5) },
        { priceKey: "seats", at: at("2026-01-22"), quantity: d(1) },
      ],
    });
    const billed = new Billed();
    // 2 × 10 days, 5 × 11 days, 1 × 10 days, at 1 a day.
    expect(said(billed.bill(contract, scopeOf(contract, "period", at("2026-01-01"))))).toEqual([
      "seats 85.00",
    ]);
  });

  test("an add-on costs its price times its quantity for the days it is there", () => {
    const version = anAddOn({ name: "Backups", prices: [{ ...fee, id: newId("price", at("2026-01-01")) }] });
    const contract = aContract({
      startedAt: at("2026-01-01"),
      phases: [{ plan: aPlan({ prices: [tokens] }) }],
      addOnVersions: [version],
      addOns: [
        {
          id: newId("sao", at("2026-01-01")),
          addOnVersion: version.id,
          from: at("2026-01-11"),
          to: at("2026-01-21"),
          quantity: d(3),
          interval: "month",
        },
      ],
    });
    const billed = new Billed();
    expect(said(billed.bill(contract, scopeOf(contract, "period", at("2026-01-01"))))).toEqual([
      "tokens 0.00",
      "Backups: fee 30.00",
    ]);
  });
});

describe("late usage", () => {
  test("is the difference to what was billed, on the next invoice and for its own month", () => {
    const price = aPrice({
      key: "tokens",
      charge: "usage",
      included: d(10),
      model: graduated(["100", "1"], [undefined, "0.5"]),
    });
    const contract = aContract({
      startedAt: at("2026-01-01"),
      phases: [{ plan: aPlan({ prices: [price] }) }],
    });
    const billed = new Billed();
    const on = [used("2026-01-05T00:00:00Z", "105")];
    expect(said(billed.bill(contract, scopeOf(contract, "period", at("2026-01-01")), on))).toEqual([
      "tokens 95.00",
    ]);
    const late = [...on, used("2026-01-31T00:00:00Z", "10"), used("2026-02-01T00:00:00Z", "11")];
    const lines = billed.bill(contract, scopeOf(contract, "period", at("2026-02-01")), late);
    // 105 over the allowance: five more at 1, then five at a half.
    expect(said(lines)).toEqual(["tokens 7.50", "tokens 1.00"]);
    expect(lines.map((line) => [line.period.start, line.isCorrection])).toEqual([
      [at("2026-01-01"), true],
      [at("2026-02-01"), false],
    ]);
  });

  test("rounding is cumulative: three thirds of a cent are a cent", () => {
    const price = aPrice({ key: "tokens", charge: "usage", model: perUnit("0.003333") });
    const contract = aContract({
      startedAt: at("2026-01-01"),
      phases: [{ plan: aPlan({ prices: [price] }) }],
    });
    const billed = new Billed();
    const usage = [used("2026-01-05T00:00:00Z", "1")];
    const amounts = [0, 1, 2, 3, 4, 5].map((count) => {
      usage.push(used("2026-01-06T00:00:00Z", "1"));
      const kind = count === 5 ? "period" : "threshold";
      const moment = at(count === 5 ? "2026-01-01" : `2026-01-1${count}`);
      return billed
        .bill(contract, scopeOf(contract, kind, moment), usage)
        .reduce((sum, line) => sum + line.net, 0n);
    });
    expect(amounts).toEqual([1n, 0n, 0n, 1n, 0n, 0n]);
  });
});

describe("discounts and limits", () => {
  const month = (parts: Parameters<typeof aPlan>[0], more: Partial<Parameters<typeof aContract>[0]> = {}) =>
    aContract({ startedAt: at("2026-01-01"), phases: [{ plan: aPlan(parts) }], ...more });
  const arrears = { ...fee, timing: "arrears" as const };

  test("a minimum is billed on the last part of its month only, and shrinks when late usage comes", () => {
    const contract = month({ prices: [tokens], minimum: { USD: d(20) } });
    const billed = new Billed();
    const on = [used("2026-01-05T00:00:00Z", "500")];
    expect(said(billed.bill(contract, scopeOf(contract, "threshold", at("2026-01-10")), on))).toEqual([
      "tokens 5.00",
    ]);
    expect(said(billed.bill(contract, scopeOf(contract, "period", at("2026-01-01")), on))).toEqual([
      "Minimum spend 15.00",
    ]);
    const late = [...on, used("2026-01-06T00:00:00Z", "300")];
    expect(said(billed.bill(contract, scopeOf(contract, "period", at("2026-02-01")), late))).toEqual([
      "tokens 3.00",
      "tokens 0.00",
      "Minimum spend -3.00",
      "Minimum spend 20.00",
    ]);
  });

  test("a short month has its share of the minimum", () => {
    const contract = month({ prices: [tokens], minimum: { USD: d(31) } }, { startedAt: at("2026-01-22") });
    const lines = new Billed().bill(contract, scopeOf(contract, "period", at("2026-01-22")));
    expect(said(lines)).toEqual(["tokens 0.00", "Minimum spend 10.00"]);
  });

  test("a maximum caps what discounts leave: 200 less half is 100, and 35 were billed before", () => {
    const contract = month(
      { prices: [aPrice({ key: "tokens", charge: "usage", model: perUnit("10") })], maximum: { USD: d(80) } },
      percentOff("50"),
    );
    const billed = new Billed();
    const on = [used("2026-01-05T00:00:00Z", "7")];
    expect(said(billed.bill(contract, scopeOf(contract, "threshold", at("2026-01-10")), on))).toEqual([
      "tokens 35.00",
    ]);
    const all = [...on, used("2026-01-15T00:00:00Z", "13")];
    expect(said(billed.bill(contract, scopeOf(contract, "period", at("2026-01-01")), all))).toEqual([
      "tokens 65.00",
      "Maximum spend -20.00",
    ]);
  });

  test("a percentage keeps gross and discount apart", () => {
    const contract = month({ prices: [arrears] }, percentOff("10"));
    const [line] = new Billed().bill(contract, scopeOf(contract, "period", at("2026-01-01")));
    expect([line!.gross, line!.discount, line!.net]).toEqual([3100n, -310n, 2790n]);
  });

  test("a coupon of an amount never takes an invoice below zero, and lasts as many months as it says", () => {
    const coupon = aCoupon({
      off: { kind: "amount", amounts: { USD: d(20) } },
      duration: { kind: "months", months: 2 },
    });
    const contract = month(
      { prices: [tokens] },
      { couponsKnown: [coupon], coupons: [{ coupon: coupon.id, from: at("2026-01-01"), to: undefined }] },
    );
    const billed = new Billed();
    const usage = ["2026-01-02", "2026-02-02", "2026-03-02"].map((date) =>
      used(`${date}T00:00:00Z`, date === "2026-01-02" ? "1500" : "2500"),
    );
    const bill = (date: string) => said(billed.bill(contract, scopeOf(contract, "period", at(date)), usage));
    expect(bill("2026-01-01")).toEqual(["tokens 15.00", "Welcome -15.00"]);
    expect(bill("2026-02-01")).toEqual(["tokens 25.00", "Welcome -20.00"]);
    expect(bill("2026-03-01")).toEqual(["tokens 25.00"]);
  });

  test("a commitment over three months bills at its end what is missing", () => {
    const commitments = [{ key: "q", name: "Quarterly commitment", months: 3, amounts: { USD: d(100) } }];
    const contract = month({ prices: [tokens], commitments });
    const billed = new Billed();
    const usage = ["2026-01-02", "2026-02-02"].map((date) => used(`${date}T00:00:00Z`, "3000"));
    const bill = (date: string) => said(billed.bill(contract, scopeOf(contract, "period", at(date)), usage));
    expect(bill("2026-01-01")).toEqual(["tokens 30.00"]);
    expect(bill("2026-02-01")).toEqual(["tokens 30.00"]);
    expect(bill("2026-03-01")).toEqual(["tokens 0.00", "Quarterly commitment 40.00"]);
  });

  test("a quarter's minimum, and a commitment, stay when the coupons of their first months are out of reach", () => {
    const coupon = aCoupon({
      off: { kind: "amount", amounts: { USD: d(5) } },
      duration: { kind: "forever" },
    });
    const contract = month(
      {
        interval: "quarter",
        prices: [tokens],
        minimum: { USD: d(40) },
        commitments: [{ key: "h", name: "Half-year commitment", months: 6, amounts: { USD: d(100) } }],
      },
      { couponsKnown: [coupon], coupons: [{ coupon: coupon.id, from: at("2026-01-01"), to: undefined }] },
    );
    const billed = new Billed();
    const bill = (month: number) => {
      const usage = Array.from({ length: 8 }, (_, index) => used(`2026-0${index + 1}-02T00:00:00Z`, "1000"));
      const scope = { ...scopeOf(contract, "period", at(`2026-0${month}-01`)), lookback: 35 * day };
      return said(billed.bill(contract, scope, usage)).filter((line) => /spend|commitment/.test(line));
    };
    expect([1, 2, 3, 4, 5, 6, 7, 8].map(bill)).toEqual([
      [],
      [],
      ["Minimum spend 25.00"],
      [],
      [],
      ["Minimum spend 25.00", "Half-year commitment 20.00"],
      [],
      [],
    ]);
  });

  test("a commitment is owed in full when the subscription ends early", () => {
    const commitments = [{ key: "y", name: "Yearly commitment", months: 12, amounts: { USD: d(100) } }];
    const contract = month({ prices: [tokens], commitments }, { endsAt: at("2026-01-11") });
    expect(said(new Billed().bill(contract, scopeOf(contract, "period", at("2026-01-01"))))).toEqual([
      "tokens 0.00",
      "Yearly commitment 100.00",
    ]);
  });

  function percentOff(percent: string) {
    const coupon = aCoupon({ off: { kind: "percent", percent: d(percent) }, duration: { kind: "forever" } });
    return {
      couponsKnown: [coupon],
      coupons: [{ coupon: coupon.id, from: at("2026-01-01"), to: undefined }],
    };
  }
});
