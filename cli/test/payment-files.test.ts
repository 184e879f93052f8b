// Providers that work by files, on the command line: from an account to a file that goes out, and a statement that comes in.
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type {
  InvoiceHead,
  Payment,
  PaymentBatch,
  PaymentBatchItem,
  Refund,
  TransferInstructions,
} from "@weir/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { camtFile } from "../../server/test/support/settlement/camt-file.js";
import { startWeirProcess, type WeirProcess } from "../../server/test/support/weir-process.js";
import { weirCommand } from "./support/weir-command.js";

const catalog = `plans:
  - key: team
    currency: EUR
    graceHours: 0
    prices: [{ key: base, flat: "20", charge: flat, timing: arrears }]
`;

let folder: string;
let server: WeirProcess;
let weir: ReturnType<typeof weirCommand>["weir"];
let json: ReturnType<typeof weirCommand>["json"];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-cli-payment-files-"));
  server = await startWeirProcess(path.join(folder, "data"));
  ({ weir, json } = weirCommand(server.url, server.key));
  await writeFile(path.join(folder, "catalog.yaml"), catalog);
  await json("clock", "start", "--at", "2028-01-01");
  await weir("plans", "apply", "-f", path.join(folder, "catalog.yaml"), "--yes");
  for (const customer of ["acme", "beta"]) {
    await json("customers", "create", customer, "--time-zone", "UTC");
    await json("subscriptions", "create", customer, "team");
  }
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function eventually<T>(ask: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const value = await ask();
    if (isDone(value)) return value;
    if (tries > 60) throw new Error(`it never came to it: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The invoice of a customer's first month, of 20.00 EUR. */
async function invoiceOf(customer: string): Promise<InvoiceHead> {
  const [invoice] = await json<InvoiceHead[]>(
    "invoices",
    "list",
    "--customer",
    customer,
    "--status",
    "finalized",
  );
  if (invoice === undefined) throw new Error(`${customer} has no invoice`);
  return invoice;
}

test("a charge goes out in a file that is the same each time", async () => {
  const create = ["payments", "account", "create", "acquirer", "--provider", "card_files"];
  const made = await weir(...create, "--setting", "acquirerId=ACQ", "--setting", "merchantId=M1");
  expect(made.code, made.stderr).toBe(0);
  const attach = ["payments", "attach", "acme", "tok_1", "--account", "acquirer"];
  const attached = await weir(...attach, "--brand", "visa", "--last4", "1111", "--expires", "2031-01");
  expect(attached.code, attached.stderr).toBe(0);
  await json("clock", "advance", "--to", "2028-02-01");
  const batches = ["payments", "batches", "list", "--account", "acquirer"];
  const [open] = await eventually(
    () => json<PaymentBatch[]>(...batches),
    ([found]) => found?.itemCount === 1,
  );
  expect((await weir("payments", "batches", "download", open!.id)).stderr).toMatch(/There is no file yet/);

  const file = path.join(folder, "charges.csv");
  const closed = await weir("payments", "batches", "close", "acquirer", "--out", file);
  expect(closed.code, closed.stderr).toBe(0);
  const content = await readFile(file);
  const sha256 = createHash("sha256").update(content).digest("hex");
  expect(closed.stdout).toContain(sha256);
  expect(content.toString()).toMatch(
    /^H,WEIR-CARD-CHARGES,1,ACQ,M1,1,.*\r\nD,1,charge,\w{12},tok_1,EUR,2,2000,,,INV-/,
  );
  const again = await weir("payments", "batches", "download", open!.id, "--out", "-");
  expect(again.stdout).toBe(content.toString());

  const shown = await json<PaymentBatch & { items: PaymentBatchItem[] }>(
    "payments",
    "batches",
    "show",
    open!.id,
  );
  expect(shown).toMatchObject({ state: "closed", sha256, fileName: "charges-M1-000001.csv" });
  expect(shown.items).toMatchObject([
    { action: "charge", state: "sent", position: 1, attempt: { state: "processing" } },
  ]);
  expect((await weir(...batches)).stdout).toMatch(/acquirer +1 +closed +1 +20\.00 EUR/);
  expect((await weir("payments", "batches", "close", "acquirer")).stderr).toMatch(/Nothing waits to go out/);
});

test("an invoice says how to pay, a statement pays it, and a refund goes out as a transfer", async () => {
  const { id, number } = await invoiceOf("beta");
  expect((await weir("invoices", "instructions", id)).stdout).toContain(
    "Nothing is to be paid by a transfer",
  );
  const create = [
    "payments",
    "account",
    "create",
    "bank",
    "--provider",
    "bank_transfer",
    "--setting",
    "holder=Weir",
  ];
  expect((await weir(...create, "--setting", "iban=NL90ABNA0417164300")).stderr).toMatch(/is no IBAN/);
  expect((await weir(...create, "--setting", "iban=NL91 ABNA 0417 1643 00")).code).toBe(0);
  const [instructions] = await json<TransferInstructions[]>("invoices", "instructions", number ?? "");
  expect(instructions).toMatchObject({
    account: { key: "bank" },
    iban: "NL91ABNA0417164300",
    amount: { amount: "20.00", currency: "EUR" },
    qrPayload: expect.stringContaining("EUR20.00"),
  });
  expect((await weir("invoices", "instructions", id)).stdout).toMatch(
    new RegExp(`reference +${instructions!.reference}`),
  );

  const statement = camtFile({
    statements: [
      {
        id: "S1",
        account: "NL91ABNA0417164300",
        currency: "EUR",
        sequence: 1,
        opening: 0n,
        entries: () => [
          {
            amount: 2_000n,
            credit: true,
            structured: instructions!.reference,
            reference: "B1",
            bookingDate: "2028-02-01",
            name: "Beta",
          },
        ],
      },
    ],
  });
  const camt = path.join(folder, "camt.xml");
  await writeFile(camt, Buffer.concat([...statement]));
  expect(await weir("settle", "import", camt, "--account", "bank")).toMatchObject({ code: 0 });
  const [payment] = await json<Payment[]>("payments", "list", "--invoice", id);

  const refund = ["refunds", "create", payment!.id, "--source", "goodwill", "--reason", "sorry"];
  expect((await weir(...refund)).stderr).toMatch(/Name the account that the refund goes to/);
  expect(await weir(...refund, "--iban", "DE89370400440532013000")).toMatchObject({ code: 2 });
  const made = await json<Refund>(...refund, "--iban", "DE89370400440532013000", "--name", "Beta");
  expect(made.state).toBe("pending");
  await eventually(
    () => json<PaymentBatch[]>("payments", "batches", "list", "--account", "bank"),
    ([found]) => found?.itemCount === 1,
  );
  const transfers = await weir("payments", "batches", "close", "bank", "--out", "-");
  expect(transfers.stdout).toContain("<IBAN>DE89370400440532013000</IBAN>");
  expect(transfers.stdout).toContain(`<Ustrd>Refund ${number}</Ustrd>`);
});
