import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Currency } from "../../../kernel/currency.js";
import { day, type Instant } from "../../../kernel/instant.js";
import type { Money } from "../../../kernel/money.js";
import {
  noon,
  record,
  payment,
  attempt,
  refund,
  dispute,
  payout,
  invoice,
} from "../../../../test/support/settlement/matchable.js";
import {
  amountQuestionOf,
  matchByAmount,
  matchByReference,
  referencesOf,
  type Allotment,
  type FoundTarget,
  type MatchableRecord,
  type MatchedRecord,
  type Target,
} from "./index.js";

describe("laws, over any records and any targets", () => {
  const currency = fc.constantFrom("EUR" as Currency, "JPY" as Currency);
  const amount = fc.record({ currency, minor: fc.bigInt(1n, 4n) });
  const id = (prefix: string) => fc.integer({ min: 1, max: 5 }).map((number) => `${prefix}_${number}`);
  const at = fc.integer({ min: -3, max: 3 }).map((days) => (noon + days * day) as Instant);
  const settlement = fc.option(fc.record({ gross: amount, fee: fc.bigInt(-1n, 2n) }), { nil: undefined });
  const target: fc.Arbitrary<Target> = fc.oneof(
    fc
      .record({ id: id("pay"), amount, at, settlement })
      .map((given) => payment(given.id, given.amount, given)),
    fc
      .record({ id: id("pat"), amount, at, state: fc.constantFrom("open" as const, "ended" as const) })
      .map((given) => attempt(given.id, given.amount, given)),
    fc
      .record({
        id: id("ref"),
        amount,
        at,
        state: fc.constantFrom("open" as const, "done" as const, "failed" as const),
      })
      .map((given) => refund(given.id, given.amount, given)),
    fc
      .record({
        id: id("dsp"),
        amount,
        at,
        fee: amount,
        state: fc.constantFrom("open" as const, "won" as const, "lost" as const),
      })
      .map((given) => dispute(given.id, given.amount, given)),
    fc
      .record({ id: id("pyo"), amount, at, received: fc.boolean() })
      .map((given) => payout(given.id, given.amount, given)),
    fc
      .record({ id: id("inv"), amount, at, customer: fc.constantFrom("cus_a", "cus_b") })
      .map((given) => invoice(given.id, given.amount, given)),
  );
  const reference = fc.oneof(id("pay"), id("pat"), id("ref"), id("dsp"), id("pyo"), id("inv"));
  const anyRecord = fc
    .record({
      kind: fc.constantFrom(
        "charge" as const,
        "refund" as const,
        "chargeback" as const,
        "chargeback_reversal" as const,
        "fee" as const,
        "payout" as const,
        "adjustment" as const,
        "bank_credit" as const,
        "bank_debit" as const,
        "reserve" as const,
      ),
      gross: fc.record({ currency, minor: fc.bigInt(-6n, 6n) }),
      settled: fc.option(fc.record({ currency, minor: fc.bigInt(-6n, 6n) }), { nil: undefined }),
      fee: fc.option(fc.record({ currency, minor: fc.bigInt(-2n, 2n) }), { nil: undefined }),
      at,
      references: fc.array(reference, { maxLength: 2 }),
      text: fc.option(
        fc.array(reference, { maxLength: 3 }).map((words) => words.join(" ")),
        { nil: undefined },
      ),
      counterparty: fc.constantFrom(undefined, "ACME GMBH"),
      isReversal: fc.boolean(),
      repeats: fc.constantFrom(undefined, undefined, undefined, "in_file" as const, "otherwise" as const),
    })
    .map((given) =>
      record({
        ...given,
        settled: given.settled?.currency === given.gross.currency ? undefined : given.settled,
      }),
    );
  const world = fc
    .record({
      records: fc.array(anyRecord, { maxLength: 12 }),
      targets: fc.uniqueArray(target, { selector: ({ id: one }) => one, maxLength: 15 }),
    })
    .map(({ records, targets }) => ({
      records: records.map((each, index) => ({ ...each, position: index + 1 })),
      targets,
    }));

  /** As the shell does it: batches by reference, then the rest by amount. */
  function matchAll(
    records: readonly MatchableRecord[],
    targets: readonly Target[],
    batch: number,
  ): MatchedRecord[] {
    const claimed = new Set<string>();
    const pending = new Map<string, bigint>();
    const done: MatchedRecord[] = [];
    const rest: MatchableRecord[] = [];
    const note = (matched: readonly MatchedRecord[]) => {
      for (const each of matched) {
        done.push(each);
        for (const claim of each.claims) {
          expect(claimed.has(claim), claim).toBe(false);
          claimed.add(claim);
        }
        for (const {
          effect,
          target: to,
          amount: { minor },
        } of each.allotments)
          if (effect === "receipt" && to?.kind === "invoice")
            pending.set(to.id, (pending.get(to.id) ?? 0n) + minor);
      }
    };
    for (let first = 0; first < records.length; first += batch) {
      const some = records.slice(first, first + batch);
      const found: FoundTarget[] = some
        .flatMap(referencesOf)
        .flatMap((each) =>
          targets.filter(({ id: one }) => one === each).map((one) => ({ reference: each, target: one })),
        );
      const { matched, left } = matchByReference(some, { found, claimed, pending });
      expect(
        [...matched.map((each) => each.record), ...left].sort((a, b) => a.position - b.position),
      ).toEqual(some);
      note(matched);
      rest.push(...left);
    }
    const answers = rest.flatMap((each) => {
      const question = amountQuestionOf(each);
      if (question === undefined) return [];
      return targets
        .filter(
          (one) =>
            question.kinds.includes(one.kind) &&
            one.amount.minor === question.minor &&
            one.amount.currency === question.currency,
        )
        .map((one) => ({ position: each.position, target: one }));
    });
    note(matchByAmount(rest, answers, { claimed, pending }));
    return done.sort((a, b) => a.record.position - b.record.position);
  }
  const sumsOf = (all: readonly Money[]) => {
    const sums = new Map<string, bigint>();
    for (const each of all) sums.set(each.currency, (sums.get(each.currency) ?? 0n) + each.minor);
    return [...sums].filter(([, minor]) => minor !== 0n).sort(([one], [other]) => (one < other ? -1 : 1));
  };

  test("every record is allotted, and its allotments come to what moved less the fee, in every currency", () => {
    fc.assert(
      fc.property(world, ({ records, targets }) => {
        const matched = matchAll(records, targets, 5);
        expect(matched.map((each) => each.record)).toEqual(records);
        for (const { record: each, allotments } of matched) {
          const fee = each.fee === undefined ? [] : [{ currency: each.fee.currency, minor: -each.fee.minor }];
          expect(allotments.length).toBeGreaterThan(0);
          expect(
            sumsOf(allotments.map((one) => one.amount)),
            JSON.stringify(allotments, (_k, v: unknown) => (typeof v === "bigint" ? String(v) : v)),
          ).toEqual(sumsOf([each.settled ?? each.gross, ...fee]));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("nothing is settled twice, no invoice gets more than is owed, and what waits in suspense has a reason", () => {
    fc.assert(
      fc.property(world, fc.integer({ min: 1, max: 12 }), ({ records, targets }, batch) => {
        const matched = matchAll(records, targets, batch);
        const paid = new Map<string, bigint>();
        for (const { allotments } of matched) {
          for (const {
            effect,
            target: to,
            amount: { minor },
            exception,
          } of allotments) {
            if (effect === "receipt" && to?.kind === "invoice")
              paid.set(to.id, (paid.get(to.id) ?? 0n) + minor);
            if (effect === "suspense") expect(exception?.note).toMatch(/\.$/);
            if (
              [
                "capture",
                "settle",
                "refund",
                "dispute",
                "win_dispute",
                "receive_payout",
                "return_payout",
              ].includes(effect)
            )
              expect(to).toBeDefined();
          }
        }
        for (const [one, minor] of paid)
          expect(minor).toBeLessThanOrEqual(
            targets.find(({ id: other }) => other === one)?.amount.minor ?? 0n,
          );
      }),
      { numRuns: 2_000 },
    );
  });

  test("it is the same however the file is cut into batches, and whenever it is done again", () => {
    fc.assert(
      fc.property(world, fc.integer({ min: 1, max: 6 }), ({ records, targets }, batch) => {
        const flat = (all: readonly MatchedRecord[]): readonly (readonly Allotment[])[] =>
          all.map((each) => each.allotments);
        expect(flat(matchAll(records, targets, batch))).toEqual(flat(matchAll(records, targets, 100)));
      }),
      { numRuns: 1_000 },
    );
  });
});
