// The whole way of a transfer: what is on the invoice, what the bank's statement says, and what comes of it in the books.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { creditorReferenceOf, readCreditorReference } from "../../src/payments/core/index.js";
import { eventually } from "../support/eventually.js";
import { camtFile, type CamtEntry } from "../support/settlement/camt-file.js";
import { openSettlementWorld, type SettlementWorld } from "../support/settlement/settlement-world.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let world: SettlementWorld;
let worlds = 0;
let statements = 0;
const payments = () => weir.weir.services.payments;
const payer = { name: "Acme GmbH", iban: "DE89370400440532013000" };

beforeAll(async () => {
  weir = await startTestWeir("bank-transfers");
});
afterAll(() => weir?.close());
beforeEach(async () => {
  worlds += 1;
  statements = 0;
  world = await openSettlementWorld(weir, `bank-transfers-${worlds}`);
});

/** The next statement of the account, with these entries. */
async function statement(...entries: Partial<CamtEntry>[]) {
  statements += 1;
  const all = entries.map(
    (entry, index): CamtEntry => ({
      amount: 2_000n,
      credit: true,
      reference: `B/${statements}/${index}`,
      ...payer,
      ...entry,
    }),
  );
  const content = camtFile({
    id: `MSG-${statements}`,
    statements: [
      {
        id: `STMT-${statements}`,
        account: "NL91ABNA0417164300",
        currency: "EUR",
        sequence: statements,
        opening: 100_000n,
        entries: () => all,
      },
    ],
  });
  const file = await world.settle(world.bank, `${statements}.xml`, content);
  expect(file).toMatchObject({ state: "posted", format: "camt.053" });
  return file;
}
const referenceOf = (number: string) => {
  const reference = creditorReferenceOf(number);
  if (reference === undefined) throw new Error(`${number} has no reference`);
  return reference;
};
const receivable = async (invoice: string) => {
  const found = await payments().receivables.find(world.organization, invoice);
  if (found === undefined) throw new Error(`nothing was ever owed of ${invoice}`);
  const { state, paid } = found;
  return { state, paid };
};
const exceptions = () =>
  weir.weir.services.settlement.exceptions.list(world.organization, { state: "open", limit: 50 });
const paymentsOf = (invoice: string) =>
  payments().charges.payments(world.organization, { invoice, limit: 50 });
const balances = async () => ({
  cash: await world.balance(`cash:${world.bank}`),
  receivable: await world.balance(`receivable:${world.customer}`),
  balance: await world.balance(`customer_balance:${world.customer}`),
  suspense: await world.balance("suspense"),
});

describe("an account", () => {
  test("needs an IBAN whose check digits fit and its holder, and has no secrets", async () => {
    const create = (settings: Record<string, string>, secrets: Record<string, string> = {}) =>
      payments().accounts.create(world.caller, { key: "giro", provider: "bank_transfer", settings, secrets });
    await expect(create({ iban: "DE88370400440532013000", holder: "Weir" })).rejects.toThrow(
      /settings\.iban: is no IBAN/,
    );
    await expect(create({ iban: payer.iban })).rejects.toThrow(/settings\.holder: Bank transfer needs it/);
    await expect(create({ iban: payer.iban, holder: "Weir", bic: "COBA" })).rejects.toThrow(
      /settings\.bic: is no BIC/,
    );
    await expect(create({ iban: payer.iban, holder: "Weir" }, { key: "s" })).rejects.toThrow(/it has none/);
    const made = await create({ iban: "DE89 3704 0044 0532 0130 00", holder: "Weir", bic: "COBADEFFXXX" });
    expect(made).toMatchObject({ provider: "bank_transfer", secretNames: [] });
  });

  test("takes no charges, methods, pages or webhooks, and says what to do instead", async () => {
    const lacks = { slug: "provider-lacks-ability" };
    const method = { customer: "acme", account: "bank", method: "tok_1" };
    await expect(payments().methods.attach(world.caller, method)).rejects.toMatchObject(lacks);
    await expect(payments().methods.attach(world.caller, method)).rejects.toThrow(
      "Bank transfer keeps no payment methods: the customer pays by the reference on each invoice.",
    );
    const page = { customer: "acme", account: "bank", returnUrl: "https://example.com" };
    await expect(payments().methods.setupPage(world.organization, page)).rejects.toMatchObject(lacks);
    await expect(
      payments().inbox.deliver(world.organization, world.bank, {}, Buffer.from("{}")),
    ).rejects.toThrow(/weir settle import/);
  });
});

describe("what an invoice says", () => {
  test("its structured reference, where to pay, and the text of a QR code, of what is owed still", async () => {
    const { id, number } = await world.invoice();
    const reference = referenceOf(number);
    expect(readCreditorReference(reference)).toBe(number.replace(/\W/g, ""));
    const of = () => payments().instructions.ofInvoice(world.organization, id as never);
    expect(await of()).toEqual([
      {
        account: world.bank,
        holder: "Weir Example B.V.",
        iban: "NL91ABNA0417164300",
        bic: undefined,
        reference,
        amount: { currency: "EUR", minor: 2_000n },
        code: `BCD\n002\n1\nSCT\n\nWeir Example B.V.\nNL91ABNA0417164300\nEUR20.00\n\n${reference}`,
      },
    ]);
    await statement({ amount: 500n, structured: reference });
    expect((await of())[0]).toMatchObject({
      amount: { minor: 1_500n },
      code: expect.stringContaining("\nEUR15.00\n"),
    });
    await statement({ amount: 1_500n, structured: reference });
    expect((await of())[0]).toMatchObject({ amount: { minor: 0n }, code: undefined });
  });

  test("accounts of other currencies and archived ones are left out; a draft has nothing to pay", async () => {
    const giro = await payments().accounts.create(world.caller, {
      key: "giro",
      provider: "bank_transfer",
      settings: { iban: payer.iban, holder: "Weir" },
      currencies: ["USD"],
    });
    const { id } = await world.invoice();
    const of = async () =>
      (await payments().instructions.ofInvoice(world.organization, id as never)).map(
        ({ account }) => account,
      );
    expect(await of()).toEqual([world.bank]);
    await payments().accounts.update(world.caller, { account: "giro", currencies: ["EUR"] });
    expect(await of()).toEqual([world.bank, giro.id]);
    await payments().accounts.archive(world.caller, "bank");
    expect(await of()).toEqual([giro.id]);
    expect(await payments().instructions.ofInvoice(world.organization, "inv_draft" as never)).toEqual([]);
  });

  test("stands on its documents", async () => {
    const { id, number } = await world.invoice();
    const download = async (format: string) => {
      const response = await weir.fetch(`/v1/invoices/${id}.${format}`, { key: world.key });
      expect(response.status).toBe(200);
      return response.text();
    };
    const document = JSON.parse(await download("json")) as { payment: unknown };
    expect(document.payment).toMatchObject({
      kind: "transfer",
      reference: referenceOf(number),
      account: { iban: "NL91ABNA0417164300", holder: "Weir Example B.V." },
      code: expect.stringContaining("BCD\n002"),
    });
    const html = await download("html");
    expect(html).toContain("IBAN NL91 ABNA 0417 1643 00");
    expect(html).toContain(`Reference ${referenceOf(number)}`);
    expect(html).toContain("Weir Example B.V.");
  });
});

describe("a statement", () => {
  test("with the reference pays the invoice: a payment of source bank, cash against what is owed", async () => {
    const { id, number } = await world.invoice();
    await statement({ structured: referenceOf(number) });
    expect(await receivable(id)).toEqual({ state: "paid", paid: 2_000n });
    expect(await paymentsOf(id)).toMatchObject([
      { source: "bank", account: world.bank, amount: 2_000n, excess: 0n, ref: undefined },
    ]);
    expect(await balances()).toEqual({ cash: 2_000n, receivable: 0n, balance: 0n, suspense: 0n });
    await world.checkBooks();
  });

  test("with the reference in the text, typed with blanks, or the number alone, pays too; by amount and name when it says nothing", async () => {
    const one = await world.invoice();
    const two = await world.invoice();
    const three = await world.invoice();
    const spaced = referenceOf(one.number)
      .replace(/(.{4})(?=.)/g, "$1 ")
      .toLowerCase();
    await statement({ text: `payment ${spaced} thanks` }, { text: `Rechnung ${two.number}` });
    await statement({ text: "thank you" });
    for (const { id } of [one, two, three]) expect((await receivable(id)).state).toBe("paid");
    expect(await exceptions()).toEqual([]);
  });

  test("with less leaves the rest owed, and the next transfer pays it", async () => {
    const { id, number } = await world.invoice();
    await statement({ amount: 700n, structured: referenceOf(number) });
    expect(await receivable(id)).toEqual({ state: "open", paid: 700n });
    await statement({ amount: 1_300n, structured: referenceOf(number) });
    expect(await receivable(id)).toEqual({ state: "paid", paid: 2_000n });
    expect(await paymentsOf(id)).toHaveLength(2);
    await world.checkBooks();
  });

  test("with more makes the rest the customer's balance", async () => {
    const { id, number } = await world.invoice();
    await statement({ amount: 2_550n, structured: referenceOf(number) });
    expect(await paymentsOf(id)).toMatchObject([{ amount: 2_550n, excess: 550n }]);
    expect(await balances()).toEqual({ cash: 2_550n, receivable: 0n, balance: 550n, suspense: 0n });
    await world.checkBooks();
  });

  test("with one transfer for several invoices pays them in the order in which they are named", async () => {
    const one = await world.invoice();
    const two = await world.invoice();
    await statement({ amount: 3_500n, text: `${two.number} and ${one.number}` });
    expect(await receivable(two.id)).toEqual({ state: "paid", paid: 2_000n });
    expect(await receivable(one.id)).toEqual({ state: "open", paid: 1_500n });
    const [payment] = await paymentsOf(one.id);
    expect(
      (await payments().charges.allocations(world.organization, payment!))
        .map(({ amount }) => amount)
        .toSorted((one, other) => Number(one - other)),
    ).toEqual([1_500n, 2_000n]);
    await world.checkBooks();
  });

  test("without a reference waits in suspense, and a person says which invoice it is for", async () => {
    const { id, number } = await world.invoice();
    await statement({ name: "Somebody Else", text: "hello" });
    expect(await balances()).toMatchObject({ cash: 2_000n, receivable: 2_000n, suspense: 2_000n });
    const [open] = await exceptions();
    expect(open).toMatchObject({ kind: "unmatched", suspense: 2_000n });
    await weir.weir.services.settlement.exceptions.resolve(world.caller, {
      exception: open!.id,
      version: open!.version,
      resolution: { kind: "match", target: number },
    });
    expect(await receivable(id)).toEqual({ state: "paid", paid: 2_000n });
    expect(await balances()).toEqual({ cash: 2_000n, receivable: 0n, balance: 0n, suspense: 0n });
    await world.checkBooks();
  });
});

describe("a transfer that the bank takes back", () => {
  test("makes the invoice owed again, and what was too much is the customer's no more", async () => {
    const { id, number } = await world.invoice();
    await statement({ amount: 2_550n, structured: referenceOf(number) });
    const [payment] = await paymentsOf(id);
    await statement({ amount: 2_550n, credit: false, reversal: true, structured: referenceOf(number) });
    expect(await exceptions()).toEqual([]);
    expect(await receivable(id)).toEqual({ state: "open", paid: 0n });
    expect(await balances()).toEqual({ cash: 0n, receivable: 2_000n, balance: 0n, suspense: 0n });
    const refunds = await payments().refunds.list(world.organization, { payment: payment!.id, limit: 10 });
    expect(refunds.map(({ amount, source, state }) => `${amount} ${source} ${state}`).sort()).toEqual([
      "2000 invoice succeeded",
      "550 balance succeeded",
    ]);
    // Paid anew by another one.
    await statement({ structured: referenceOf(number) });
    expect(await receivable(id)).toEqual({ state: "paid", paid: 2_000n });
    await world.checkBooks();
  });

  test("of several that paid one invoice is the one of its amount; without one it is for a person", async () => {
    const { id, number } = await world.invoice();
    await statement(
      { amount: 700n, structured: referenceOf(number) },
      { amount: 1_300n, structured: referenceOf(number) },
    );
    await statement({ amount: 1_300n, credit: false, reversal: true, structured: referenceOf(number) });
    expect(await receivable(id)).toEqual({ state: "open", paid: 700n });
    await statement({ amount: 500n, credit: false, reversal: true, structured: referenceOf(number) });
    expect(await receivable(id)).toEqual({ state: "open", paid: 700n });
    expect(await exceptions()).toMatchObject([{ kind: "amount_differs", suspense: -500n }]);
    await world.checkBooks();
  });

  test("and names nothing is for a person, who says which payment it was", async () => {
    const { id, number } = await world.invoice();
    await statement({ structured: referenceOf(number) });
    const [payment] = await paymentsOf(id);
    await statement({ credit: false, reversal: true });
    const [open] = await exceptions();
    expect(open).toMatchObject({ kind: "unmatched", suspense: -2_000n });
    await weir.weir.services.settlement.exceptions.resolve(world.caller, {
      exception: open!.id,
      version: open!.version,
      resolution: { kind: "match", target: payment!.id },
    });
    expect(await receivable(id)).toEqual({ state: "open", paid: 0n });
    expect(await balances()).toEqual({ cash: 0n, receivable: 2_000n, balance: 0n, suspense: 0n });
    await world.checkBooks();
  });
});

describe("a refund of a transfer", () => {
  async function paid(structured = true) {
    const { id, number } = await world.invoice();
    await statement({
      ...(structured ? { structured: referenceOf(number) } : { text: number }),
      ...(structured ? {} : { iban: undefined as never }),
    });
    const [payment] = await paymentsOf(id);
    return { invoice: id, number, payment: payment! };
  }
  const refundOf = async (id: string) => (await payments().refunds.find(world.organization, id))!;
  const queued = (id: string) =>
    eventually(
      () => refundOf(id),
      ({ ref }) => ref !== undefined,
    );

  test("goes out as a transfer to the account that it came from, and is done when the statement has it", async () => {
    const { payment, number } = await paid();
    const made = await payments().refunds.create(world.caller, {
      payment: payment.id,
      amount: 800n,
      source: "goodwill",
      reason: "nobody's business",
    });
    expect(made).toMatchObject({ state: "pending", payment: payment.id });
    const { ref } = await queued(made.id);
    expect(ref).toMatch(/^REF[0-9A-Z]{26}$/);
    expect(await world.balance(`cash:${world.bank}`)).toBe(1_200n);

    const closing = await payments().batches.close(world.caller, "bank");
    expect(closing).toMatchObject({ state: "closing", sequence: 1n, items: 1 });
    const batch = (await eventually(
      () => payments().batches.find(world.organization, closing.id),
      (one) => one?.state === "closed",
    ))!;
    expect(batch.file).toMatchObject({ name: "transfers-000001.xml" });
    const response = await weir.fetch(`/v1/payment-batches/${batch.id}.xml`, { key: world.key });
    expect(response.headers.get("content-type")).toContain("application/xml");
    const xml = await response.text();
    expect(xml).toContain("urn:iso:std:iso:20022:tech:xsd:pain.001.001.09");
    expect(xml).toContain(`<EndToEndId>${ref}</EndToEndId>`);
    expect(xml).toContain(`<InstdAmt Ccy="EUR">8.00</InstdAmt>`);
    expect(xml).toContain(
      `<Cdtr><Nm>Acme GmbH</Nm></Cdtr><CdtrAcct><Id><IBAN>${payer.iban}</IBAN></Id></CdtrAcct>`,
    );
    expect(xml).toContain(`<Ustrd>Refund ${number}</Ustrd>`);
    expect(xml).not.toContain("nobody");
    expect(xml).toContain("<NbOfTxs>1</NbOfTxs><CtrlSum>8</CtrlSum>");

    await statement({ amount: 800n, credit: false, endToEnd: ref! });
    expect(await exceptions()).toEqual([]);
    expect(await refundOf(made.id)).toMatchObject({ state: "succeeded" });
    expect(await world.balance(`cash:${world.bank}`)).toBe(1_200n);
    await world.checkBooks();

    // The other bank sends it back: it has failed after all.
    await statement({ amount: 800n, credit: true, endToEnd: ref!, name: "Weir Example B.V." });
    expect(await refundOf(made.id)).toMatchObject({ state: "failed" });
    expect(await world.balance(`cash:${world.bank}`)).toBe(2_000n);
    expect((await exceptions()).map(({ kind }) => kind)).toEqual(["refund_failed"]);
    await world.checkBooks();
  });

  test("needs an account to go to: one that is named, when the statement does not say it", async () => {
    const { payment } = await paid(false);
    const input = { payment: payment.id, source: "goodwill", reason: "sorry" } as const;
    await expect(payments().refunds.create(world.caller, input)).rejects.toMatchObject({
      slug: "payee-unknown",
    });
    await expect(
      payments().refunds.create(world.caller, { ...input, payee: { name: "Acme", iban: "DE00" } }),
    ).rejects.toThrow(/payee\.iban: is no IBAN/);
    const made = await payments().refunds.create(world.caller, {
      ...input,
      payee: { name: "Acme", iban: payer.iban },
    });
    await queued(made.id);
    expect(payments().refunds.payeeOf(world.organization, await refundOf(made.id))).toEqual({
      name: "Acme",
      iban: payer.iban,
    });
  });

  test("closing with nothing to send is refused", async () => {
    await expect(payments().batches.close(world.caller, "bank")).rejects.toMatchObject({
      slug: "payment-batch-empty",
    });
    await expect(payments().batches.close(world.caller, "stripe")).rejects.toMatchObject({
      slug: "provider-lacks-ability",
    });
  });
});
