import { OpenMeter } from "@openmeter/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

// OpenMeter's published client, unmodified, against Weir: what a user of theirs does first after changing the URL.
let weir: TestWeir;
let openmeter: OpenMeter;
const from = new Date(Date.now() - 3_600_000);

beforeAll(async () => {
  weir = await startTestWeir("openmeter");
  openmeter = new OpenMeter({ baseUrl: weir.url, apiKey: weir.key });
});

afterAll(() => weir.close());

test("creates a meter, and finds it by slug, by id and in the list", async () => {
  const meter = await openmeter.meters.create({
    slug: "tokens_total",
    eventType: "prompt",
    aggregation: "SUM",
    valueProperty: "$.tokens",
    groupBy: { model: "$.model", type: "$.type" },
  });
  expect(meter).toMatchObject({
    slug: "tokens_total",
    aggregation: "SUM",
    groupBy: { model: "$.model", type: "$.type" },
  });
  expect(meter?.createdAt).toBeInstanceOf(Date);
  expect(await openmeter.meters.get("tokens_total")).toMatchObject({ id: meter?.id });
  expect(await openmeter.meters.get(meter?.id ?? "")).toMatchObject({ slug: "tokens_total" });
  expect((await openmeter.meters.list())?.map((each) => each.slug)).toEqual(["tokens_total"]);
});

test("ingests one event and a batch, again without counting twice", async () => {
  const event = (id: string, tokens: string | number, model: string, subject = "customer-1") => ({
    id,
    source: "my-app",
    type: "prompt",
    subject,
    time: new Date(),
    data: { tokens, model, type: "input" },
  });
  await openmeter.events.ingest(event("1", "10.5", "gpt-4"));
  const batch = [event("2", 5, "gpt-3.5"), event("3", 7, "gpt-4", "customer-2")];
  await openmeter.events.ingest(batch);
  await openmeter.events.ingest(batch);
  await weir.settled();

  const total = await openmeter.meters.query("tokens_total", { from });
  expect(total?.data).toEqual([expect.objectContaining({ value: 22.5, subject: null, groupBy: {} })]);
  expect(total?.data[0]?.windowStart).toBeInstanceOf(Date);
});

test("queries by window, subject, group and filter", async () => {
  const grouped = await openmeter.meters.query("tokens_total", {
    from,
    windowSize: "DAY",
    windowTimeZone: "America/New_York",
    groupBy: ["subject", "model"],
    subject: ["customer-1"],
  });
  expect(grouped?.windowSize).toBe("DAY");
  expect(grouped?.data.map((row) => [row.subject, row.groupBy, row.value])).toEqual([
    ["customer-1", { model: "gpt-3.5" }, 5],
    ["customer-1", { model: "gpt-4" }, 10.5],
  ]);
  const filtered = await openmeter.meters.query("tokens_total", { from, filterGroupBy: { model: "gpt-4" } });
  expect(filtered?.data.map((row) => row.value)).toEqual([17.5]);
  const posted = await openmeter.meters.queryPost("tokens_total", {
    from,
    filterGroupBy: { model: ["gpt-3.5"] },
  });
  expect(posted).toMatchObject({ data: [{ value: 5 }] });
});

test("lists events newest first, and subjects", async () => {
  const events = await openmeter.events.list({ limit: 2 });
  expect(events).toHaveLength(2);
  expect(events?.[0]?.event).toMatchObject({ type: "prompt", source: "my-app", specversion: "1.0" });
  expect((await openmeter.subjects.list())?.map((subject) => subject.key)).toEqual([
    "customer-1",
    "customer-2",
  ]);
});

test("gets null for an empty sum and 0 for an empty count", async () => {
  await openmeter.meters.create({ slug: "prompts", eventType: "nothing", aggregation: "COUNT" });
  await openmeter.meters.create({
    slug: "nothing",
    eventType: "nothing",
    aggregation: "SUM",
    valueProperty: "$.n",
  });
  expect((await openmeter.meters.query("prompts", { from }))?.data.map((row) => row.value)).toEqual([0]);
  expect((await openmeter.meters.query("nothing", { from }))?.data.map((row) => row.value)).toEqual([null]);
});

test("is told in its own way what is wrong", async () => {
  await expect(openmeter.meters.get("no-such-meter")).rejects.toMatchObject({ status: 404 });
  const bad = { id: "x", source: "s", type: "prompt", subject: "" };
  await expect(openmeter.events.ingest(bad)).rejects.toMatchObject({
    status: 400,
    title: "Events are not valid CloudEvents",
  });
  const stranger = new OpenMeter({ baseUrl: weir.url, apiKey: "wrong" });
  await expect(stranger.meters.list()).rejects.toMatchObject({ status: 401 });
});

test("deletes a meter", async () => {
  await openmeter.meters.delete("prompts");
  await expect(openmeter.meters.get("prompts")).rejects.toMatchObject({ status: 404 });
});
