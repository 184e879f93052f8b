import { Readable } from "node:stream";
import { parseCurrency } from "../kernel/currency.js";
import { bankStatement, type StatementLine } from "./bank-statement.js";
import type { PaymentsDemo } from "./nimbus-payments.js";

/** Customers of Nimbus Cloud, in euros, who pay by transfer and have no card. */
export const transferring = ["basalt-robotics", "delta-robotics"] as const;

const account_key = "bank";
const iban = "NL91ABNA0417164300";
const payer = "DE89370400440532013000";
const look_ms = 200;
const looks_max = 150;

/**
 * Nimbus Cloud's bank sends a statement: one customer paid by the reference on its invoice, one by the invoice's number in a text; someone
 * paid nobody knows what, and the bank took its fee, which people have to look at.
 */
export async function playNimbusTransfers(demo: PaymentsDemo, signal: AbortSignal): Promise<void> {
  const { payments, settlement, caller, clock, log } = demo;
  const { organization } = caller;
  const currency = parseCurrency("EUR");
  if (currency === undefined) throw new Error("the euro is a currency");
  const lines: StatementLine[] = [];
  for (const customer of transferring) {
    signal.throwIfAborted();
    const { id, name } = await demo.billing.customers.get(organization, customer);
    const [owed] = await payments.receivables.list(organization, { customer: id, state: "open", limit: 1 });
    if (owed === undefined) continue;
    const invoice = await demo.billing.invoices.get(organization, owed.invoice);
    const [instructions] = await payments.instructions.ofInvoice(organization, owed.invoice);
    if (instructions === undefined) continue;
    const remittance =
      lines.length === 0
        ? { reference: instructions.reference }
        : { text: `Invoice ${invoice.finalized?.number ?? ""}, thank you` };
    lines.push({ minor: instructions.amount.minor, direction: "in", name, iban: payer, remittance });
  }
  if (lines.length === 0) return;
  lines.push(
    { minor: 12_345n, direction: "in", name: "Quartz Media", iban: payer, remittance: { text: "as agreed" } },
    { minor: 990n, direction: "out", name: "The bank", iban, remittance: { text: "account fee" } },
  );
  const at = clock.now();
  const body = bankStatement({ id: "NIMBUS-1", iban, currency, at, opening: 2_500_000n, lines });
  const { file } = await settlement.landing.land(caller, {
    account: account_key,
    name: "nimbus-statement.xml",
    body: Readable.from([Buffer.from(body)]),
  });
  let { state } = file;
  for (let looks = 0; looks < looks_max && !ended.has(state); looks += 1) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, look_ms));
    ({ state } = await settlement.files.get(organization, file.id));
  }
  log.info("the demo's bank has sent a statement: see weir settle list, weir reconcile exceptions", {
    state,
  });
}

const ended: ReadonlySet<string> = new Set(["posted", "held", "refused"]);

/** Nimbus Cloud's account at a bank: its invoices in euros say how to pay to it. */
export async function openNimbusBank({ payments, caller }: PaymentsDemo): Promise<void> {
  if ((await payments.accounts.find(caller.organization, account_key)) !== undefined) return;
  await payments.accounts.create(caller, {
    key: account_key,
    provider: "bank_transfer",
    name: "Bank (made up)",
    settings: { iban, holder: "Nimbus Cloud B.V." },
    currencies: ["EUR"],
  });
}
