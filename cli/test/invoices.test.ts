import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { CreditNote, Invoice, InvoiceHead, LineExplanation, MeasuredEvent, Run } from "@weir/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWeirProcess, type WeirProcess } from "../../server/test/support/weir-process.js";
import { weirCommand } from "./support/weir-command.js";

const catalog = `meters:
  - { slug: tokens, eventType: llm.request, aggregation: SUM, valueProperty: $.tokens }
plans:
  - key: team
    currency: EUR
    graceHours: 24
    prices: [{ key: base, flat: "20" }, { key: tokens, meter: tokens, perUnit: { unitAmount: "3", per: 1000000 } }]
`;

let folder: string;
let server: WeirProcess;
let weir: ReturnType<typeof weirCommand>["weir"];
let json: ReturnType<typeof weirCommand>["json"];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-cli-invoices-"));
  server = await startWeirProcess(path.join(folder, "data"));
  ({ weir, json } = weirCommand(server.url, server.key));
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Reports usage, and waits until an invoice would count it. */
async function use(id: string, time: string, tokens: number, events: number): Promise<void> {
  const data = JSON.stringify({ tokens });
  const about = ["--id", id, "--source", "api", "--time", time, "--data", data];
  await json("events", "send", "--type", "llm.request", "--subject", "acme", ...about);
  for (let attempt = 0; attempt < 80; attempt += 1) {
    const listed = await json<unknown[]>("events", "list", "--from", "2026-12-01", "--to", "2027-06-01");
    if (listed.length === events) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`event ${id} never became visible`);
}

test("an invoice lives from a draft through its grace to a number, is explained, credited and voided", async () => {
  expect((await weir("clock", "show")).stdout).toContain("weir clock start --at");
  await json("clock", "start", "--at", "2027-01-01");
  const file = path.join(folder, "catalog.yaml");
  await writeFile(file, catalog);
  expect(await weir("plans", "apply", "-f", file, "--yes")).toMatchObject({ code: 0 });
  const germany = ["--time-zone", "Europe/Berlin", "--country", "DE", "--subject", "acme"];
  await json("tax", "settings", "--country", "DE");
  await json("customers", "create", "acme", ...germany);
  await json("subscriptions", "create", "acme", "team");

  await json("clock", "advance", "--to", "2027-01-20");
  await use("a1", "2027-01-19T12:00:00Z", 1_000_000, 1);
  expect((await weir("invoices", "preview", "acme")).stdout).toMatch(
    /tokens +\S+ … \S+ +1 000 000 +1 +3 +3\.00/,
  );
  await json("clock", "advance", "--to", "2027-02-01");
  const [draft] = await json<InvoiceHead[]>("invoices", "list", "--status", "draft", "--customer", "acme");
  expect(draft).toMatchObject({ number: null, issueAt: "2027-02-01T23:00:00Z" });
  expect((await weir("invoices", "show", draft?.id ?? "")).stdout).toContain("final from");

  // During grace: in the invoice itself. After it: a difference on the next.
  await use("a2", "2027-01-31T20:00:00Z", 500_000, 2);
  await json("clock", "advance", "--by", "3d");
  const january = await json<Invoice>("invoices", "show", "INV-000002");
  expect(january).toMatchObject({ id: draft?.id, status: "finalized", totals: { total: { minor: "2916" } } });
  await use("a3", "2027-01-25T08:00:00Z", 2_000_000, 3);
  await json("clock", "advance", "--to", "2027-03-03");
  const february = await json<Invoice>("invoices", "show", "INV-000003");
  const late = february.lines.find(({ isCorrection }) => isCorrection);
  expect(late).toMatchObject({
    period: january.period,
    billedBefore: { amount: "4.50" },
    money: { amount: "6.00" },
  });
  expect((await weir("invoices", "show", "INV-000003")).stdout).toContain("BILLED BEFORE");

  const ambiguous = await weir("invoices", "explain", "INV-000003", "--line", "tokens");
  expect(ambiguous).toMatchObject({ code: 2, stderr: expect.stringContaining(late?.id ?? "?") });
  const explained = await json<Omit<LineExplanation, "events"> & { events: MeasuredEvent[] }>([
    "invoices",
    "explain",
    "INV-000003",
    "--line",
    late?.id ?? "",
    "--events",
    "2",
  ]);
  expect(explained).toMatchObject({ reproduced: true, recorded: { amount: "10.5", eventCount: 3 } });
  expect(explained.events.map(({ id }) => id)).toEqual(["a1", "a3"]);

  const base = january.lines.find(({ price }) => price?.key === "base")?.id ?? "";
  const note = await json<CreditNote>([
    "invoices",
    "credit",
    "INV-000002",
    "--line",
    `${base}=500`,
    "--reason",
    "outage",
  ]);
  expect(note).toMatchObject({ number: "CN-000001", net: { amount: "5.00" }, tax: { amount: "0.95" } });
  expect(await weir("invoices", "void", "INV-000002", "--reason", "x")).toMatchObject({ code: 3 });
  const voiding = await json<CreditNote>("invoices", "void", "INV-000003", "--reason", "wrong address");
  expect(voiding).toMatchObject({ number: "CN-000002", voids: true });
  expect(await json<CreditNote[]>("invoices", "credit-notes", "--invoice", "INV-000002")).toHaveLength(1);
  expect(await json<InvoiceHead[]>("invoices", "list", "--status", "voided")).toHaveLength(1);

  const pdf = path.join(folder, "note.pdf");
  await weir("invoices", "download-credit-note", "CN-000001", "--out", pdf);
  expect((await readFile(pdf)).subarray(0, 5).toString()).toBe("%PDF-");

  const runs = await json<Run[]>("runs", "list", "--kind", "invoice-run", "--state", "succeeded");
  expect(runs.map(({ kind }) => kind)).toEqual(Array(3).fill("invoice-run"));
  expect((await weir("runs", "show", runs[0]?.id ?? "")).stdout).toMatch(/take[\s\S]*bill/);
  expect(await weir("runs", "retry", runs[0]?.id ?? "")).toMatchObject({ code: 3 });
  expect(await weir("clock", "advance", "--to", "2027-01-01")).toMatchObject({ code: 3 });
});
