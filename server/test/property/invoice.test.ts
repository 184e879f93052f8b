import fc from "fast-check";
import { expect, test } from "vitest";
import {
  coveredPart,
  rateLine,
  servicePeriodAt,
  subscriptionStart,
  type SubjectSpan,
} from "../../src/billing/core/index.js";
import { previewInvoice } from "../../src/billing/preview-invoice.js";
import type { PlanVersion } from "../../src/catalog/index.js";
import { parseCurrency } from "../../src/kernel/currency.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { newId, type OrganizationId } from "../../src/kernel/ids.js";
import { day, parseInstant, second, type Instant } from "../../src/kernel/instant.js";
import { parseTimeZone } from "../../src/kernel/time-zone.js";
import type { PriceModel } from "../../src/rating/core/index.js";
import { UsageInMemory } from "../support/usage-in-memory.js";

const first = parseInstant("2025-12-20T00:00:00Z")!;
const horizon = 120 * day;
const organization = newId("org", first);
const meter = { id: newId("mtv", first), meter: newId("mtr", first), slug: "tokens" };
const at = fc
  .integer({ min: 0, max: horizon / second })
  .map((seconds) => (first + seconds * second) as Instant);
const amount = fc.integer({ min: 0, max: 10_000 }).map((units) => Decimal.fromUnscaled(BigInt(units), 4));

const model: fc.Arbitrary<PriceModel> = fc
  .record({
    per: fc.constantFrom("1", "1000", "3600"),
    bound: fc.integer({ min: 1, max: 5000 }),
    amounts: fc.array(amount, { minLength: 4, maxLength: 4 }),
  })
  .map(({ per, bound, amounts: [a, b, c, e] }) => ({
    kind: "graduated",
    per: Decimal.of(per),
    tiers: [
      { upTo: Decimal.of(bound), unitAmount: a!, flatAmount: b! },
      { upTo: undefined, unitAmount: c!, flatAmount: e! },
    ],
  }));

/** Subjects a and b change hands at random instants; each is the customer's every other time. */
const ownership: fc.Arbitrary<SubjectSpan[]> = fc
  .tuple(fc.array(at, { maxLength: 6 }), fc.array(at, { maxLength: 6 }))
  .map((changes) =>
    ["a", "b"].flatMap((subject, index) => {
      const bounds = [...new Set(changes[index])].toSorted((left, right) => left - right);
      return bounds.flatMap((from, place) =>
        place % 2 === 0 ? [{ subject, from, to: bounds[place + 1] }] : [],
      );
    }),
  );

const events = fc.array(
  fc.record({
    subject: fc.constantFrom("a", "b", "c"),
    time: at,
    value: fc.integer({ min: 0, max: 900_000 }),
  }),
  { maxLength: 60 },
);

test("every event is billed in exactly the period and to the owner it belongs to, and each line is reproduced from its evidence", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        model,
        ownership,
        events,
        anchorDay: fc.integer({ min: 1, max: 31 }),
        zone: fc.constantFrom("Pacific/Auckland", "Asia/Kolkata", "Pacific/Honolulu", "Europe/Berlin"),
      }),
      async (given) => {
        const usage = new UsageInMemory();
        usage.knowMeter(organization, meter);
        for (const { subject, time, value } of given.events) {
          usage.add(organization, subject, time, Decimal.fromUnscaled(BigInt(value), 3).toString());
          usage.add(newId("org", first) as OrganizationId, subject, time, "1");
        }
        const planVersion = planOf(given.model);
        const timeZone = parseTimeZone(given.zone)!;
        const subscription = {
          id: newId("sub", first),
          customer: newId("cus", first),
          planVersion: planVersion.id,
          startedAt: subscriptionStart(first, timeZone),
          anchor: { day: given.anchorDay },
          timeZone,
          createdAt: first,
        };
        let billedEvents = 0;
        let billed = Decimal.zero;
        for (let moment = first as Instant; moment <= first + horizon; ) {
          const period = coveredPart(subscription, servicePeriodAt(subscription, "month", moment)!)!;
          const inputs = {
            organization,
            subscription,
            planVersion,
            period,
            spans: given.ownership,
            now: first,
          };
          const { lines, watermark, currency, total, subtotal } = await previewInvoice(usage, inputs);
          const [line] = lines;
          billedEvents += line!.events;
          billed = billed.plus(line!.quantity);
          expect(total.minor).toBe(subtotal.minor);

          // From the events alone, page by page, without asking for the quantity again.
          let quantity = Decimal.zero;
          let count = 0;
          for (let after: string | undefined; ; ) {
            const selection = {
              organization,
              meterVersion: meter.id,
              subjects: line!.subjects,
              period,
              watermark,
              limit: 7,
            };
            const page = await usage.evidence({ ...selection, ...(after === undefined ? {} : { after }) });
            quantity = Decimal.sum([quantity, ...page.rows.map((row) => Decimal.of(row.value))]);
            count += page.rows.length;
            if (page.next === undefined) break;
            after = page.next;
          }
          const again = rateLine(line!.price, { ...line!, quantity, events: count }, currency);
          expect([again.amount.toString(), again.money.minor]).toEqual([
            line!.amount.toString(),
            line!.money.minor,
          ]);
          moment = period.end;
        }
        const owned = given.events.filter(({ subject, time }) =>
          given.ownership.some(
            (span) =>
              span.subject === subject && span.from <= time && (span.to === undefined || time < span.to),
          ),
        );
        expect(billedEvents).toBe(owned.length);
        const sum = owned.reduce((units, event) => units + BigInt(event.value), 0n);
        expect(billed.equals(Decimal.fromUnscaled(sum, 3))).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

function planOf(price: PriceModel): PlanVersion {
  const id = newId("plv", first);
  return {
    id,
    plan: newId("plan", first),
    planKey: "llm",
    version: 1,
    name: "LLM",
    currency: parseCurrency("USD")!,
    interval: "month",
    effectiveFrom: first,
    trialDays: 0,
    phases: [],
    minimum: undefined,
    maximum: undefined,
    commitments: [],
    graceHours: undefined,
    spendThreshold: undefined,
    prices: [
      {
        id: newId("price", first),
        key: "tokens",
        name: "Tokens",
        product: undefined,
        taxCategory: "standard",
        charge: "usage",
        timing: "arrears",
        interval: "month",
        prorated: true,
        meter: { id: meter.meter, slug: meter.slug },
        filters: [],
        included: undefined,
        phases: undefined,
        model: price,
        currencies: {},
      },
    ],
    createdAt: first,
  };
}
