import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { goodCard, startPaymentsApi, type Nodes, type PaymentsApi } from "../support/payments-api.js";

let started: PaymentsApi;
let paying: PaymentsApi["paying"];
let others: PaymentsApi["others"];
let api: PaymentsApi["api"];
let advance: PaymentsApi["advance"];
let billed: PaymentsApi["billed"];

beforeAll(async () => {
  started = await startPaymentsApi("dunning-graphql");
  ({ paying, others, api, advance, billed } = started);
});
afterAll(() => started?.close());

describe("dunning", () => {
  const schedule = "{ retryDays hour endDays end }";

  test("has a schedule of which what is left out stays, refused with its faults", async () => {
    const { dunningSchedule } = await api.ask<{ dunningSchedule: object }>(`{ dunningSchedule ${schedule} }`);
    expect(dunningSchedule).toEqual({
      retryDays: [1, 3, 5, 7, 9, 11, 13],
      hour: 10,
      endDays: 14,
      end: "none",
    });
    const set = "setDunningSchedule(retryDays: [2, 4], endDays: 6)";
    const changed = { retryDays: [2, 4], hour: 10, endDays: 6, end: "none" };
    expect(await api.change(set, schedule, "schedule-1")).toEqual(changed);
    expect(await api.change("setDunningSchedule(end: pause)", schedule)).toEqual({
      ...changed,
      end: "pause",
    });
    expect(await api.change(set, schedule, "schedule-1")).toEqual({ ...changed, end: "pause" });
    expect(await api.refusal("setDunningSchedule(endDays: 7)", "schedule-1")).toBe("idempotency-key-reused");
    const bad = await api.answer("setDunningSchedule(retryDays: [3, 3], hour: 24, endDays: 2)", schedule);
    expect(bad).toMatchObject({ code: "invalid-dunning-schedule" });
    expect(bad.details?.errors?.map(({ field }) => field)).toEqual(["retryDays", "hour", "endDays"]);
  });

  test("is previewed by the code of a decline: hard ones wait, soft ones are retried", async () => {
    const { invoice } = await billed("previewed");
    const preview = async (code: string) =>
      (
        await api.ask<{ dunningPreview: { kind: string; why: string | null; action: string | null }[] }>(
          `{ dunningPreview(invoice: "${invoice}", declineCode: "${code}") { kind at why action } }`,
        )
      ).dunningPreview.map(({ kind, why, action }) =>
        [kind, why ?? action].filter((one) => one !== null).join(" "),
      );
    expect(await preview("stolen_card")).toEqual(["wait", "end pause"]);
    expect(await preview("generic_decline")).toEqual(["retry schedule", "retry schedule", "end pause"]);
    expect(await preview("processing_error")).toEqual([
      "retry soon",
      "retry schedule",
      "retry schedule",
      "end pause",
    ]);
    const plain = await api.ask<{ dunningPreview: object[] }>(
      `{ dunningPreview(invoice: "${invoice}") { kind } }`,
    );
    expect(plain.dunningPreview).toHaveLength(3);
    await expect(api.ask(`{ dunningPreview(invoice: "${others.invoice}") { kind } }`)).rejects.toThrow(
      "invoice-not-found",
    );
  });

  test("stops for a customer, and goes on with what is open", async () => {
    await paying.customer("paused", goodCard);
    const selection = "{ key collectionPause { reason pausedAt } }";
    const paused = await api.change(
      'pauseCollection(customer: "paused", reason: "talks go on")',
      selection,
      "pause-1",
    );
    expect(paused).toMatchObject({ key: "paused", collectionPause: { reason: "talks go on" } });
    expect(
      await api.change('pauseCollection(customer: "paused", reason: "talks go on")', selection, "pause-1"),
    ).toEqual(paused);
    expect(await api.refusal('pauseCollection(customer: "paused", reason: "")')).toBe("invalid-pause");
    expect(await api.refusal(`pauseCollection(customer: "${others.customer}", reason: "r")`)).toBe(
      "customer-not-found",
    );
    expect(await api.refusal(`resumeCollection(customer: "${others.customer}")`)).toBe("customer-not-found");
    await advance();
    const receivables = async () =>
      (
        await api.ask<{ customer: { receivables: Nodes<{ state: string; attempts: number }> } }>(
          '{ customer(idOrKey: "paused") { receivables { nodes { state attempts } } } }',
        )
      ).customer.receivables.nodes;
    expect(await receivables()).toEqual([{ state: "open", attempts: 0 }]);
    expect(await api.change('resumeCollection(customer: "paused")', selection)).toMatchObject({
      collectionPause: null,
    });
    await eventually(receivables, ([one]) => one?.state === "paid");
  });
});

test("every change is on record", async () => {
  await started.expectRecorded("dunning.set_schedule", "collection.pause", "collection.resume");
});
