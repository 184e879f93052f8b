import { describe, expect, test } from "vitest";
import type { MeterId, MeterVersionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { UsageEvent } from "./event.js";
import { compileMeter } from "./measure.js";
import { measureEvent } from "./measure-event.js";
import type { MeterDefinition, MeterVersion } from "./meter.js";

const tokens: MeterDefinition = {
  eventType: "llm.request",
  aggregation: "SUM",
  valueProperty: "$.tokens",
  groupBy: [{ name: "model", property: "$.model" }],
  filters: [],
};

function version(definition: MeterDefinition, slug = "tokens"): MeterVersion {
  return {
    ...definition,
    id: "mtv_01" as MeterVersionId,
    meter: "mtr_01" as MeterId,
    slug,
    name: slug,
    description: "",
    version: 1,
    createdAt: 0 as Instant,
  };
}

describe("a SUM meter", () => {
  const meter = compileMeter(version(tokens));

  test.each([
    [12, "12"],
    [0.1, "0.1"],
    [1e-7, "0.0000001"],
    [-3.5, "-3.5"],
    ["12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"],
    ["1e3", "1000"],
  ])("reads %j as exactly %s", (sent, read) => {
    const measured = meter.measure({ tokens: sent, model: "m" });
    expect(measured).toEqual({
      kind: "measured",
      measurement: { meter: "mtv_01", value: read, unique: "", dimensions: ["m"] },
    });
  });

  test.each([
    ["missing", {}],
    ["null", { tokens: null }],
  ])("finds a %s value missing", (_, data) => {
    expect(meter.measure(data)).toEqual({ kind: "value_missing", property: "$.tokens" });
  });

  test.each(["NaN", "Infinity", "", "twelve", true, [1], { a: 1 }, "0x10", " 1"])(
    "finds no number in %j",
    (value) => {
      expect(meter.measure({ tokens: value }).kind).toBe("value_not_numeric");
    },
  );

  test.each(["123456789012345678901", "0.1234567890123456789", "1e20"])(
    "says that %s does not fit",
    (value) => {
      expect(meter.measure({ tokens: value }).kind).toBe("value_does_not_fit");
    },
  );

  test("gives an absent dimension the empty text, and other kinds their JSON", () => {
    const dimension = (data: { model?: string | number | boolean }) => {
      const measured = meter.measure({ tokens: 1, ...data });
      return measured.kind === "measured" ? measured.measurement.dimensions : [];
    };
    expect(dimension({})).toEqual([""]);
    expect(dimension({ model: 4 })).toEqual(["4"]);
    expect(dimension({ model: true })).toEqual(["true"]);
  });

  test("cuts no text that it groups by: one that is too long to keep refuses its event", () => {
    const long = "x".repeat(1024);
    expect(meter.measure({ tokens: 1, model: long })).toMatchObject({ measurement: { dimensions: [long] } });
    expect(meter.measure({ tokens: 1, model: `${long}x` })).toEqual({
      kind: "text_too_long",
      property: "$.model",
      length: 1025,
    });
    const event = { type: "llm.request", data: { tokens: 1, model: `${long}x` } } as unknown as UsageEvent;
    expect(measureEvent(event, new Map([["llm.request", [meter]]]))).toMatchObject({
      fault: { code: "field-too-large", field: "data ($.model)" },
    });
  });

  test("does not read inherited properties", () => {
    const inherited = compileMeter(version({ ...tokens, valueProperty: "$.constructor", groupBy: [] }));
    expect(inherited.measure({}).kind).toBe("value_missing");
  });
});

describe("filters", () => {
  const filtered = (filters: MeterDefinition["filters"]) => compileMeter(version({ ...tokens, filters }));

  test("all must hold", () => {
    const meter = filtered([
      { property: "$.model", operator: "in", values: ["a", "b"] },
      { property: "$.tokens", operator: "gte", value: "10" },
    ]);
    expect(meter.measure({ model: "a", tokens: 10 }).kind).toBe("measured");
    expect(meter.measure({ model: "c", tokens: 10 }).kind).toBe("filtered");
    expect(meter.measure({ model: "a", tokens: "9.999999999999999999" }).kind).toBe("filtered");
  });

  test("existence is about the value, not its text", () => {
    expect(
      filtered([{ property: "$.model", operator: "not_exists" }]).measure({ tokens: 1, model: null }).kind,
    ).toBe("measured");
    expect(filtered([{ property: "$.model", operator: "exists" }]).measure({ tokens: 1 }).kind).toBe(
      "filtered",
    );
  });
});

describe("an event", () => {
  const sum = compileMeter(version(tokens));
  const count = compileMeter(
    version({ eventType: "llm.request", aggregation: "COUNT", groupBy: [], filters: [] }, "requests"),
  );
  const meters = new Map([["llm.request", [sum, count]]]);

  test("that no meter listens to is reported", () => {
    expect(measureEvent({ type: "other", data: {} }, meters)).toEqual({
      measurements: [],
      reason: 'no meter listens to events of type "other"',
    });
  });

  test("that one of two meters could not read is measured by the other, and reported", () => {
    const measured = measureEvent({ type: "llm.request", data: {} }, meters);
    expect(measured).toMatchObject({
      measurements: [{ value: "1" }],
      reason: 'meter "tokens" finds nothing at $.tokens',
    });
  });
});
