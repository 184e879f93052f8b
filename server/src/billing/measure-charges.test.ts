import { expect, test } from "vitest";
import { Decimal } from "../kernel/decimal.js";
import { parseInstant } from "../kernel/instant.js";
import { parseTimeZone } from "../kernel/time-zone.js";
import type { AnyPriceModel } from "../rating/core/index.js";
import { measuredIn, partOf } from "./measure-charges.js";

const at = (text: string) => parseInstant(text)!;
const utc = parseTimeZone("UTC")!;
const model: AnyPriceModel = {
  kind: "windowed",
  window: "day",
  price: { kind: "per_unit", unitAmount: Decimal.one, per: Decimal.one },
  commitment: { amount: Decimal.of("5"), overageFactor: Decimal.one, trueUp: true },
};

test("between the days of a plan that is left and come back to lies no window", () => {
  const portion = {
    model,
    spans: [
      { start: at("2026-03-01T00:00:00Z"), end: at("2026-03-03T00:00:00Z") },
      { start: at("2026-03-10T00:00:00Z"), end: at("2026-03-12T00:00:00Z") },
    ],
  };
  const { reading } = partOf(portion, [], utc);
  if (reading.kind !== "windows") throw new Error("its windows are read");
  const quantities = reading.boundaries.slice(1).map((_, index) => Decimal.of(index));
  const { usage } = measuredIn(portion, utc, { usage: { kind: "windows", quantities }, events: 4 });
  if (usage.kind !== "windows") throw new Error("windows were read");
  // 1 and 2, 10 and 11 March: the third that was read is from 3 to 10 March.
  expect(usage.quantities.map(String)).toEqual(["0", "1", "3", "4"]);
});

test("a window that holds an instant of two spans is one", () => {
  const portion = {
    model: { ...model, window: "month" } as AnyPriceModel,
    spans: [
      { start: at("2026-03-01T00:00:00Z"), end: at("2026-03-03T00:00:00Z") },
      { start: at("2026-03-10T00:00:00Z"), end: at("2026-04-02T00:00:00Z") },
    ],
  };
  const read = { usage: { kind: "windows" as const, quantities: [Decimal.one, Decimal.one] }, events: 2 };
  expect(measuredIn(portion, utc, read)).toEqual(read);
});
