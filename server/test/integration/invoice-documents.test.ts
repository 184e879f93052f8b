// Invoices, drafts and credit notes as their recipients get them: by REST as JSON, HTML and PDF, which say what GraphQL says.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderPdf } from "../../src/documents/index.js";
import { Decimal } from "../../src/kernel/decimal.js";
import type { OrganizationId } from "../../src/kernel/ids.js";
import { arithmeticFaults } from "../support/e-invoice-arithmetic.js";
import { elementsAt, parseXml, textAt } from "../support/parsed-xml.js";
import { textOfPdf } from "../support/pdf-text.js";
import { operationsOf } from "../support/graphql-operations.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let organization: OrganizationId;
let key: string;
let otherKey: string;

const { mutate: change } = operationsOf((query) => weir.graphql(query, {}, key));
const mutate = <T>(field: string, selection = "{ id }") => change<T>(field, selection);

async function post(pathname: string, body: unknown): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await weir.fetch(pathname, { key, method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${pathname}: ${response.status} ${await response.text()}`);
  await weir.settled();
}

async function advance(to: string): Promise<void> {
  for (;;) {
    const clock = await mutate<{ now: string; state: string }>(
      `advanceTestClock(to: "${to}")`,
      "{ now state }",
    );
    if (clock.state !== "advancing") return expect(clock.now).toBe(to);
  }
}

const event = (id: string, subject: string, time: string, calls: number) => ({
  id,
  source: "test",
  type: "call",
  subject,
  time,
  data: { calls },
});

interface Line {
  readonly name: string;
  readonly money: { readonly minor: string };
  readonly isCorrection: boolean;
}

interface Asked {
  readonly id: string;
  readonly number: string | null;
  readonly status: string;
  readonly paymentDueAt: string | null;
  readonly boundary: string;
  readonly totals: Record<string, { readonly minor: string; readonly amount: string }>;
  readonly taxes: readonly { readonly tax: { readonly minor: string } }[];
  readonly lines: readonly (Line & { readonly id: string })[];
}

const money = "{ minor amount }";
const selection = `{ id number status paymentDueAt boundary
  totals { subtotal ${money} promotionalCredits ${money} tax ${money} total ${money} paidCredits ${money} due ${money} }
  taxes { tax { minor } } lines { id name isCorrection money { minor } } }`;

async function invoicesOf(customer: string): Promise<Asked[]> {
  const { invoices } = await weir.graphql<{ invoices: { nodes: Asked[] } }>(
    `{ invoices(first: 50, customer: "${customer}") { nodes ${selection} } }`,
    {},
    key,
  );
  return invoices.nodes.toSorted((one, other) => (one.boundary < other.boundary ? -1 : 1));
}

async function get(pathname: string, by = key): Promise<Response> {
  return weir.fetch(pathname, { key: by });
}

interface DocumentJson {
  readonly kind: string;
  readonly number?: string;
  readonly corrects?: string;
  readonly dueAt?: string;
  readonly seller: { readonly name: string };
  readonly buyer: { readonly name: string };
  readonly sections: readonly {
    readonly title: string;
    readonly subtitle?: string;
    readonly lines: readonly {
      readonly description: string;
      readonly quantity?: string;
      readonly unitAmount?: string;
      readonly minor: string;
      readonly note?: string;
      readonly taxKey: string;
      readonly details: readonly {
        readonly kind: string;
        readonly text?: string;
        readonly amount?: string;
      }[];
      readonly discounts: readonly { readonly name: string; readonly minor: string }[];
    }[];
  }[];
  readonly subtotalMinor: string;
  readonly credits: readonly { readonly label: string; readonly minor: string }[];
  readonly taxes: readonly {
    readonly key: string;
    readonly taxableMinor: string;
    readonly taxMinor: string;
  }[];
  readonly totalMinor: string;
  readonly settlements: readonly { readonly label: string; readonly minor: string }[];
  readonly amountDueMinor: string;
  readonly notes: readonly string[];
}

const json = async (pathname: string) => (await (await get(pathname)).json()) as DocumentJson;
const linesOf = (document: DocumentJson) => document.sections.flatMap(({ lines }) => lines);
const sum = (minors: readonly { minor: string }[]) =>
  minors.reduce((all, { minor }) => all + BigInt(minor), 0n);

/** What is printed must add up, whatever it is. */
function expectToAddUp(document: DocumentJson): void {
  expect(sum(linesOf(document))).toBe(BigInt(document.subtotalMinor));
  const tax = document.taxes.reduce((all, { taxMinor }) => all + BigInt(taxMinor), 0n);
  expect(BigInt(document.subtotalMinor) + sum(document.credits) + tax).toBe(BigInt(document.totalMinor));
  expect(BigInt(document.totalMinor) + sum(document.settlements)).toBe(BigInt(document.amountDueMinor));
  const keys = document.taxes.map(({ key: taxKey }) => taxKey);
  for (const { taxKey } of linesOf(document)) expect(keys).toContain(taxKey);
}

beforeAll(async () => {
  weir = await startTestWeir("invoice-documents");
  const { identity } = weir.weir.services;
  const create = async (slug: string) => {
    const { id } = await identity.createOrganization({ slug, name: `The ${slug}`, mode: "live" });
    return { id, ...(await identity.issueSystemKey(id, { name: slug, kind: "secret" })) };
  };
  ({ id: organization, secret: key } = await create("documents"));
  ({ secret: otherKey } = await create("others"));
  await mutate('startTestClock(at: "2027-12-15T00:00:00Z")', "{ now }");
  await mutate(
    'setBillingProfile(legalName: "Nimbus GmbH", city: "Berlin", country: "DE", taxId: "DE123456789")',
    "{ legalName }",
  );
  await mutate('setTaxSettings(country: "DE")', "{ country }");
  await post("/v1/meters", {
    slug: "calls",
    eventType: "call",
    aggregation: "SUM",
    valueProperty: "$.calls",
  });
  await mutate(
    `createPlan(key: "scale", name: "Scale <plan>", currency: "EUR", prices: [
      { key: "fee", name: "Platform fee", charge: flat, timing: arrears, model: { flat: "100" } },
      { key: "calls", name: "API calls", meter: "calls", included: "100", model: { perUnit: { unitAmount: "0.01" } } },
      { key: "tiers", name: "Calls by tier", meter: "calls", model: { graduated: { tiers: [
        { upTo: "1000", unitAmount: "0.02" }, { unitAmount: "0.005" }] } } }])`,
  );
  await mutate('createCoupon(key: "launch", name: "Launch", percentOff: "10")');
  await mutate(
    'createCustomer(key: "acme", name: "Acme & Sons", timeZone: "Europe/Berlin", address: { line1: "Weg 1", city: "Bonn", country: "DE" })',
  );
  await mutate(
    'createCustomer(key: "branch", name: "Acme Branch", timeZone: "Europe/Berlin", payer: "acme")',
  );
  for (const customer of ["acme", "branch"]) {
    await mutate(`assignSubject(customer: "${customer}", subject: "${customer}")`);
    const { id } = await mutate<{ id: string }>(
      `createSubscription(customer: "${customer}", plan: "scale", start: "2028-01-01T12:00:00+01:00")`,
    );
    if (customer === "acme") await mutate(`redeemCoupon(subscription: "${id}", coupon: "launch")`);
  }
  await mutate('grantCredit(customer: "acme", kind: promotional, amount: "5.00", currency: "EUR")');
  await mutate('grantCredit(customer: "acme", kind: paid, amount: "10.00", currency: "EUR")');
  await advance("2028-01-20T00:00:00Z");
  await post("/v1/events", [
    event("1", "acme", "2028-01-10T12:00:00+01:00", 1500),
    event("2", "branch", "2028-01-10T12:00:00+01:00", 300),
  ]);
  await advance("2028-02-10T00:00:00Z");
  await post("/v1/events", [event("3", "acme", "2028-01-12T12:00:00+01:00", 1000)]);
  await advance("2028-03-10T00:00:00Z");
});
afterAll(() => weir?.close());

describe("a finalized invoice", () => {
  const january = async () =>
    (await invoicesOf("acme")).find(({ boundary }) => boundary.startsWith("2028-01"))!;

  test("says in JSON what GraphQL says, by id and by number", async () => {
    const invoice = await january();
    expect(invoice.status).toBe("finalized");
    const document = await json(`/v1/invoices/${invoice.id}.json`);
    expect(await json(`/v1/invoices/${invoice.number}.json`)).toEqual(document);
    expect(document).toMatchObject({
      kind: "invoice",
      number: invoice.number,
      seller: { name: "Nimbus GmbH" },
      buyer: { name: "Acme & Sons" },
      dueAt: invoice.paymentDueAt,
      subtotalMinor: invoice.totals["subtotal"]?.minor,
      credits: [{ label: "Promotional credits", minor: "-500" }],
      totalMinor: invoice.totals["total"]?.minor,
      settlements: [{ label: "Prepaid credits", minor: "-1000" }],
      amountDueMinor: invoice.totals["due"]?.minor,
      notes: [],
    });
    expect(linesOf(document).map(({ description, minor }) => [description, minor])).toEqual(
      invoice.lines.map(({ name, money: { minor } }) => [name, minor]),
    );
    expect(document.taxes.map(({ taxMinor }) => taxMinor)).toEqual(invoice.taxes.map(({ tax }) => tax.minor));
    expectToAddUp(document);
  });

  test("has a section for each plan, named by its customer where another one pays", async () => {
    const document = await json(`/v1/invoices/${(await january()).id}.json`);
    expect(document.sections.map(({ title, subtitle }) => [title, subtitle])).toEqual([
      ["Scale <plan>", undefined],
      ["Scale <plan>", "Acme Branch"],
    ]);
  });

  test("explains a line by unit price, allowance, tiers and discount", async () => {
    const [own] = (await json(`/v1/invoices/${(await january()).id}.json`)).sections;
    const [fee, calls, tiers] = own!.lines;
    expect(fee).toMatchObject({ unitAmount: "100", minor: "9000", details: [] });
    expect(fee!.discounts).toEqual([{ name: "Discount 10%", minor: "-1000" }]);
    expect(calls).toMatchObject({ quantity: "1500", unitAmount: "0.01", minor: "1260" });
    expect(calls!.details).toMatchObject([{ kind: "text", text: "Included", quantity: "100" }]);
    expect(tiers!.unitAmount).toBeUndefined();
    expect(tiers!.details.map(({ kind, amount }) => [kind, amount])).toEqual([
      ["tier", "20"],
      ["tier", "2.5"],
    ]);
  });

  test("is a PDF and a page of HTML that name its number, lines, tax and total", async () => {
    const invoice = await january();
    const html = await get(`/v1/invoices/${invoice.id}.html`);
    expect(html.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(html.headers.get("content-disposition")).toBe(`attachment; filename="${invoice.number}.html"`);
    const page = await html.text();
    const pdf = await get(`/v1/invoices/${invoice.id}.pdf`);
    expect(pdf.headers.get("content-type")).toBe("application/pdf");
    expect(pdf.headers.get("content-disposition")).toBe(`attachment; filename="${invoice.number}.pdf"`);
    const document = await weir.weir.services.billing.invoiceDocuments.ofInvoice(organization, invoice.id);
    expect(Buffer.from(await pdf.arrayBuffer()).equals(await renderPdf(document))).toBe(true);
    const pages = textOfPdf(await renderPdf(document, { compress: false }));
    const printed = pages
      .flat()
      .map(({ text }) => text)
      .join("\n");
    const amountOf = (name: string) => invoice.totals[name]!.amount;
    const said = [invoice.number!, "API calls", "VAT", amountOf("tax"), amountOf("total"), amountOf("due")];
    for (const text of [...said, "Acme Branch", "Nimbus GmbH"]) {
      expect(page).toContain(text);
      expect(printed).toContain(text);
    }
    expect(page).toContain("Scale &lt;plan&gt;");
    expect(page).not.toContain("<plan>");
    expect(printed).toContain("Scale <plan>");
  });

  test("is an e-invoice of its amounts, by id and by number", async () => {
    const invoice = await january();
    const response = await get(`/v1/invoices/${invoice.id}.xml`);
    expect(response.headers.get("content-type")).toBe("application/xml; charset=utf-8");
    expect(response.headers.get("content-disposition")).toBe(`attachment; filename="${invoice.number}.xml"`);
    const xml = await response.text();
    expect(await (await get(`/v1/invoices/${invoice.number}.xml`)).text()).toBe(xml);
    const root = parseXml(xml);
    expect(arithmeticFaults(root, Decimal.zero)).toEqual([]);
    expect(textAt(root, "ID")).toBe(invoice.number);
    expect(textAt(root, "LegalMonetaryTotal/TaxInclusiveAmount")).toBe(invoice.totals["total"]!.amount);
    expect(textAt(root, "LegalMonetaryTotal/PayableAmount")).toBe(invoice.totals["due"]!.amount);
    expect(textAt(root, "AllowanceCharge/Amount")).toBe("5.00");
    expect(elementsAt(root, "InvoiceLine")).toHaveLength(invoice.lines.length);
    const calls = elementsAt(root, "InvoiceLine").find((line) => textAt(line, "Item/Name") === "API calls")!;
    expect([textAt(calls, "InvoicedQuantity"), textAt(calls, "Price/PriceAmount")]).toEqual(["1400", "0.01"]);
  });

  test("keeps its parties when they change later", async () => {
    const { id } = await january();
    const before = await (await get(`/v1/invoices/${id}.html`)).text();
    await mutate('updateCustomer(customer: "acme", name: "Acme Renamed")');
    await mutate('setBillingProfile(legalName: "Stratus GmbH")', "{ legalName }");
    expect(await (await get(`/v1/invoices/${id}.html`)).text()).toBe(before);
  });

  test("says of late usage that it corrects an earlier invoice, and what was billed before", async () => {
    const february = (await invoicesOf("acme")).find(({ lines }) => lines.some((line) => line.isCorrection))!;
    const document = await json(`/v1/invoices/${february.number}.json`);
    const corrections = linesOf(document).filter(({ note }) => note !== undefined);
    expect(corrections).toHaveLength(2);
    for (const line of corrections) {
      expect(line.note).toMatch(/^Correction of an earlier invoice: usage that came late/);
      expect(line.details.at(-1)?.text).toBe("Billed before");
    }
    const calls = corrections.find(({ description }) => description === "API calls")!;
    expect(calls).toMatchObject({ quantity: "2500", minor: "900" });
    expect(calls.details.at(-1)?.amount).toBe("-14");
    expectToAddUp(document);
  });
});

test("a draft has no number, and says what to look at", async () => {
  const [subscription] = (
    await weir.graphql<{ subscriptions: { nodes: { id: string }[] } }>(
      '{ subscriptions(first: 5, customer: "acme") { nodes { id } } }',
      {},
      key,
    )
  ).subscriptions.nodes;
  const { invoice } = await mutate<{ invoice: { id: string; notices: string[]; total: { minor: string } } }>(
    `createInvoice(subscription: "${subscription!.id}")`,
    "{ invoice { id notices total { minor } } }",
  );
  const response = await get(`/v1/invoices/${invoice.id}.json`);
  expect(response.headers.get("content-disposition")).toBe(`attachment; filename="draft-${invoice.id}.json"`);
  const document = (await response.json()) as DocumentJson;
  expect(document).toMatchObject({ kind: "draft", notes: invoice.notices, totalMinor: invoice.total.minor });
  expect(document.number).toBeUndefined();
  expect(document.dueAt).toBeUndefined();
  expect(document.seller.name).toBe("Stratus GmbH");
  expectToAddUp(document);
  expect(await (await get(`/v1/invoices/${invoice.id}.html`)).text()).toContain("DRAFT");
  const refused = await get(`/v1/invoices/${invoice.id}.xml`);
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({
    type: "https://weir.dev/problems/e-invoice-not-valid",
    errors: expect.arrayContaining([
      { rule: "BR-02", message: expect.stringContaining("weir invoices finalize") },
      { rule: "BR-08", message: expect.stringContaining("weir organization billing-profile") },
    ]),
  });
});

interface Note {
  readonly id: string;
  readonly number: string;
  readonly net: { readonly minor: string };
  readonly tax: { readonly minor: string };
}
const noteSelection = "{ id number net { minor } tax { minor } }";

describe("a credit note", () => {
  test("gives back below zero, and names the invoice that it corrects", async () => {
    const [invoice] = (await invoicesOf("acme")).filter(({ status }) => status === "finalized");
    const note = await mutate<Note>(
      `issueCreditNote(invoice: "${invoice!.id}", reason: "An outage", lines: [{ line: "${invoice!.lines[0]!.id}", minor: "1000" }])`,
      noteSelection,
    );
    const document = await json(`/v1/credit-notes/${note.number}.json`);
    expect(await json(`/v1/credit-notes/${note.id}.json`)).toEqual(document);
    const { net, tax } = note;
    expect(document).toMatchObject({
      kind: "credit_note",
      number: note.number,
      corrects: invoice!.number,
      subtotalMinor: `-${net.minor}`,
      totalMinor: String(-(BigInt(net.minor) + BigInt(tax.minor))),
      notes: ["An outage"],
    });
    expect(linesOf(document)).toMatchObject([{ description: "Platform fee", minor: "-1000" }]);
    expectToAddUp(document);
    const html = await (await get(`/v1/credit-notes/${note.id}.html`)).text();
    for (const text of [note.number, invoice!.number!, "Credit note", "11.90"]) expect(html).toContain(text);
    const root = parseXml(await (await get(`/v1/credit-notes/${note.number}.xml`)).text());
    expect(root.name).toBe("CreditNote");
    expect(textAt(root, "BillingReference/InvoiceDocumentReference/ID")).toBe(invoice!.number);
    expect(textAt(root, "LegalMonetaryTotal/PayableAmount")).toBe("11.90");
    const pdf = await get(`/v1/credit-notes/${note.id}.pdf`);
    expect(pdf.headers.get("content-disposition")).toBe(`attachment; filename="${note.number}.pdf"`);
    expect(
      Buffer.from(await pdf.arrayBuffer())
        .subarray(0, 5)
        .toString(),
    ).toBe("%PDF-");
  });

  test("of a voided invoice takes all of it back, and the invoice names it", async () => {
    const invoice = (await invoicesOf("acme")).find(
      ({ status, lines }) => status === "finalized" && lines.some((line) => line.isCorrection),
    )!;
    const before = await json(`/v1/invoices/${invoice.id}.json`);
    const note = await mutate<Note>(`voidInvoice(id: "${invoice.id}", reason: "Wrong")`, noteSelection);
    const document = await json(`/v1/credit-notes/${note.id}.json`);
    expect(document.totalMinor).toBe(String(-BigInt(before.totalMinor)));
    expect(document.notes).toEqual(["Wrong", "Takes the whole invoice back"]);
    expectToAddUp(document);
    const after = await json(`/v1/invoices/${invoice.id}.json`);
    expect(after).toEqual({ ...before, notes: [expect.stringContaining(note.number)] });
  });
});

describe("refusals", () => {
  test("what e-invoices ask for is checked when it is given, each fault by its field", async () => {
    await expect(
      mutate(
        'setBillingProfile(legalName: "N", iban: "DE00 1203", bic: "X", electronicAddress: "nimbus", timeZone: "Mars/Olympus")',
        "{ legalName }",
      ),
    ).rejects.toThrow(/electronicAddress: .*EAS.*iban: .*check digits.*bic: .*timeZone: /);
    await expect(
      mutate(
        'updateCustomer(customer: "acme", electronicAddress: "9999:x", buyerReference: "a\\nb", registrationNumber: "")',
      ),
    ).rejects.toThrow(/electronicAddress: .*EAS.*registrationNumber: .*buyerReference: /);
    const profile = await mutate<Record<string, string | null>>(
      'setBillingProfile(legalName: "N", iban: "de02 1203 0000 0000 2020 51", electronicAddress: "9930:DE123456789", timeZone: "europe/berlin", bic: "")',
      "{ iban bic electronicAddress timeZone }",
    );
    expect(profile).toEqual({
      iban: "DE02120300000000202051",
      bic: null,
      electronicAddress: "9930:DE123456789",
      timeZone: "Europe/Berlin",
    });
  });

  test("another organization finds nothing, by id or number", async () => {
    const [invoice] = await invoicesOf("acme");
    for (const format of ["json", "html", "pdf"]) {
      for (const name of [invoice!.id, invoice!.number!]) {
        const response = await get(`/v1/invoices/${name}.${format}`, otherKey);
        expect(response.status).toBe(404);
        expect(response.headers.get("content-type")).toBe("application/problem+json");
        expect(await response.json()).toMatchObject({ title: "No such invoice", status: 404 });
      }
      expect((await get(`/v1/credit-notes/CN-000001.${format}`)).status).toBe(200);
      expect((await get(`/v1/credit-notes/CN-000001.${format}`, otherKey)).status).toBe(404);
    }
  });

  test("a name without a known format leads to no document", async () => {
    const [invoice] = await invoicesOf("acme");
    for (const file of [invoice!.id, `${invoice!.id}.docx`, ".pdf", "x.toString"]) {
      const response = await get(`/v1/invoices/${file}`);
      expect(response.status, file).toBe(404);
      expect(await response.json()).toMatchObject({ title: "No such document" });
    }
  });
});
