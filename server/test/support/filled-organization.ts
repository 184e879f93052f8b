import type { Currency } from "../../src/kernel/currency.js";
import type { CustomerId, OrganizationId } from "../../src/kernel/ids.js";
import { fillPayments, type FilledPayments } from "./filled-payments.js";
import { fillSettlement, type FilledSettlement } from "./filled-settlement.js";
import { operationsOf } from "./graphql-operations.js";
import type { TestWeir } from "./test-weir.js";

/** An organization with one of everything, and every text in it marked. */
export interface FilledOrganization {
  readonly id: OrganizationId;
  readonly key: string;
  readonly mark: string;
  /** The id of each thing, by what it is. */
  readonly ids: Readonly<
    Record<
      | "meter"
      | "meterVersion"
      | "customer"
      | "plan"
      | "planVersion"
      | "price"
      | "product"
      | "addOn"
      | "addOnVersion"
      | "coupon"
      | "subscription"
      | "subscribedAddOn"
      | "invoice"
      | "line"
      | "creditNote"
      | "taxRate"
      | "posting"
      | "creditGrant"
      | "mail"
      | "apiKey"
      | "import"
      | "fileImport"
      | "webhookEndpoint"
      | "webhookMessage"
      | "webhookDelivery"
      | "audit",
      string
    > &
      FilledPayments &
      FilledSettlement
  >;
}

/** Makes an organization whose texts all contain `mark`, and fills it over the public API. */
export async function fillOrganization(weir: TestWeir, mark: string): Promise<FilledOrganization> {
  const { identity } = weir.weir.services;
  const { id } = await identity.createOrganization({ slug: mark, name: mark, mode: "live" });
  const { secret: key } = await identity.issueSystemKey(id, { name: `${mark}-system`, kind: "secret" });
  const post = async <T>(path: string, body: unknown): Promise<T> => {
    const response = await weir.fetch(path, {
      method: "POST",
      key,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const { mutate } = operationsOf((query) => weir.graphql(query, {}, key));

  const meter = await post<{ id: string; versionId: string }>("/v1/meters", {
    slug: `${mark}-meter`,
    name: mark,
    description: mark,
    eventType: `${mark}.type`,
    aggregation: "SUM",
    valueProperty: "$.units",
    groupBy: { region: "$.region" },
  });
  const event = (number: number) => ({
    id: `${mark}-event-${number}`,
    source: `${mark}-source`,
    type: `${mark}.type`,
    subject: `${mark}-subject`,
    time: new Date(Date.now() - number * 1000).toISOString(),
    data: { units: 5, region: `${mark}-region` },
  });
  await post("/v1/events", [event(1), event(2), event(3)]);
  await weir.settled();
  await post("/v1/events/void", {
    source: `${mark}-source`,
    id: `${mark}-event-3`,
    reason: `${mark} reason`,
  });
  const imported = await post<{ id: string }>("/v1/imports", { name: `${mark}-import`, fingerprint: mark });
  const fileImport = await importFile(weir, key, mark);
  const customer = await mutate<{ id: string }>(
    `createCustomer(key: "${mark}-customer", name: "${mark}", email: "${mark}@example.com", timeZone: "UTC", taxId: "${mark}-tax", address: { city: "${mark}" }, electronicAddress: "EM:${mark}@example.com", buyerReference: "${mark}", registrationNumber: "${mark}")`,
    "{ id }",
  );
  await mutate(
    `assignSubject(customer: "${mark}-customer", subject: "${mark}-subject", from: "2020-01-01T00:00:00Z")`,
    "{ id }",
  );
  const plan = await mutate<{ id: string; current: { id: string; prices: { id: string }[] } }>(
    `createPlan(key: "${mark}-plan", name: "${mark}", currency: "USD", prices: [{ key: "${mark}-price", meter: "${mark}-meter", model: { perUnit: { unitAmount: "2" } } }])`,
    "{ id current { id prices { id } } }",
  );
  const product = await mutate<{ id: string }>(
    `createProduct(key: "${mark}-product", name: "${mark}", taxCategory: "${mark}-taxes")`,
    "{ id }",
  );
  const addOn = await mutate<{ id: string; current: { id: string } }>(
    `createAddOn(key: "${mark}-add-on", name: "${mark}", currency: "USD", prices: [{ key: "${mark}-fee", product: "${mark}-product", model: { flat: "2" } }])`,
    "{ id current { id } }",
  );
  const coupon = await mutate<{ id: string }>(
    `createCoupon(key: "${mark}-coupon", name: "${mark}", percentOff: "10", products: ["${mark}-product"])`,
    "{ id }",
  );
  const subscription = await mutate<{ id: string }>(
    `createSubscription(customer: "${mark}-customer", plan: "${mark}-plan", start: "2020-01-01T00:00:00Z")`,
    "{ id }",
  );
  const { addOns: attached } = await mutate<{ addOns: { id: string }[] }>(
    `attachAddOn(subscription: "${subscription.id}", addOn: "${mark}-add-on")`,
    "{ addOns { id } }",
  );
  await mutate(`redeemCoupon(subscription: "${subscription.id}", coupon: "${mark}-coupon")`, "{ id }");
  await weir.settled();
  const { invoice } = await mutate<{ invoice: { id: string; lines: { id: string }[] } }>(
    `createInvoice(subscription: "${subscription.id}")`,
    "{ invoice { id lines { id } } }",
  );
  await mutate(
    `setBillingProfile(legalName: "${mark} Ltd", line1: "${mark} street", bankDetails: "${mark} bank", registrationNumber: "${mark}", contactName: "${mark}", electronicAddress: "EM:${mark}@example.org")`,
    "{ legalName }",
  );
  await mutate(
    `setTaxSettings(country: "NZ", registrations: [{ country: "US", taxId: "${mark}" }])`,
    "{ country }",
  );
  const taxRate = await mutate<{ id: string }>(
    `addTaxRate(country: "NZ", name: "${mark}", note: "${mark}", percent: "15", validFrom: "2020-01-01")`,
    "{ id }",
  );
  const { invoice: past } = await mutate<{ invoice: { id: string } }>(
    `createInvoice(subscription: "${subscription.id}", at: "2020-01-15T00:00:00Z")`,
    "{ invoice { id } }",
  );
  await mutate(
    `setMailSettings(fromName: "${mark}", replyTo: "${mark}@example.org", copies: ["${mark}@example.net"], sendInvoices: true)`,
    "{ server }",
  );
  await mutate(`finalizeInvoice(id: "${past.id}")`, "{ id }");
  const { mails } = await weir.graphql<{ mails: { nodes: { id: string }[] } }>(
    "{ mails(first: 1) { nodes { id } } }",
    {},
    key,
  );
  const creditNote = await mutate<{ id: string }>(
    `voidInvoice(id: "${past.id}", reason: "${mark}")`,
    "{ id }",
  );
  const { ledger, postgres } = weir.weir.services;
  await postgres.inOrganization(id, (sql) =>
    ledger.post(sql, id, [
      {
        idempotencyKey: `${mark}:posting`,
        reason: "invoice.finalize",
        reference: invoice.id,
        transfers: [
          {
            debit: { kind: "receivable", customer: customer.id as CustomerId },
            credit: { kind: "revenue" },
            amount: { currency: "USD" as Currency, minor: 1000n },
          },
        ],
      },
    ]),
  );
  const creditGrant = await mutate<{ id: string }>(
    `grantCredit(customer: "${mark}-customer", kind: paid, amount: "10.00", currency: "USD", note: "${mark}")`,
    "{ id }",
  );
  const [posting] = await ledger.postings(id, { limit: 1 });
  const payments = await fillPayments(weir, key, mark);
  const settlement = await fillSettlement(weir, key, mark);
  const webhook = await deliverWebhook(weir, key, mark);
  const apiKey = await mutate<{ key: { id: string } }>(
    `createApiKey(kind: read, name: "${mark}-key")`,
    "{ key { id } }",
  );
  const { auditLog } = await weir.graphql<{ auditLog: { nodes: { id: string }[] } }>(
    "{ auditLog(first: 1) { nodes { id } } }",
    {},
    key,
  );
  return {
    id,
    key,
    mark,
    ids: {
      meter: meter.id,
      meterVersion: meter.versionId,
      customer: customer.id,
      plan: plan.id,
      planVersion: plan.current.id,
      price: plan.current.prices[0]?.id ?? "",
      product: product.id,
      addOn: addOn.id,
      addOnVersion: addOn.current.id,
      coupon: coupon.id,
      subscription: subscription.id,
      subscribedAddOn: attached[0]?.id ?? "",
      invoice: invoice.id,
      line: invoice.lines[0]?.id ?? "",
      creditNote: creditNote.id,
      taxRate: taxRate.id,
      posting: posting?.id ?? "",
      creditGrant: creditGrant.id,
      mail: mails.nodes[0]?.id ?? "",
      apiKey: apiKey.key.id,
      ...webhook,
      ...payments,
      ...settlement,
      import: imported.id,
      fileImport,
      audit: auditLog.nodes[0]?.id ?? "",
    },
  };
}

/** Makes an endpoint that cannot be reached, tries to deliver a test to it, and switches it off: then nothing of it changes by itself. */
async function deliverWebhook(weir: TestWeir, key: string, mark: string) {
  const { ask, mutate } = operationsOf((query) => weir.graphql(query, {}, key));
  const { endpoint } = await mutate<{ endpoint: { id: string } }>(
    `createWebhookEndpoint(url: "https://${mark}.invalid/hooks", eventTypes: ["*"], description: "${mark}")`,
    "{ endpoint { id } }",
  );
  const { id, messageId } = await mutate<{ id: string; messageId: string }>(
    `testWebhookEndpoint(endpoint: "${endpoint.id}")`,
    "{ id messageId }",
  );
  for (;;) {
    const { webhookDelivery } = await ask<{ webhookDelivery: { attemptCount: number } }>(
      `{ webhookDelivery(id: "${id}") { attemptCount } }`,
    );
    if (webhookDelivery.attemptCount > 0) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await mutate(`disableWebhookEndpoint(endpoint: "${endpoint.id}")`, "{ id }");
  return { webhookEndpoint: endpoint.id, webhookMessage: messageId, webhookDelivery: id };
}

/** Uploads a file with a line that is taken and one that is not, and waits for its end. @returns the import's id */
async function importFile(weir: TestWeir, key: string, mark: string): Promise<string> {
  const query = new URLSearchParams({
    name: `${mark}-file`,
    type: `${mark}.type`,
    time: "{at}",
    subject: "{who}",
  });
  const uploaded = await weir.fetch(`/v1/imports?${query.toString()}`, {
    method: "POST",
    key,
    headers: { "content-type": "text/csv" },
    body: `at,who,units\n2019-06-01 00:00:00,${mark}-imported,1\n${mark}-soon,${mark}-imported,1\n`,
  });
  if (!uploaded.ok) throw new Error(`upload: ${uploaded.status} ${await uploaded.text()}`);
  for (;;) {
    const answer = await weir.fetch(`/v1/imports/${mark}-file`, { key });
    const { id, status } = (await answer.json()) as { id: string; status: string };
    if (status === "completed") return id;
    if (status !== "running") throw new Error(`the import is ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
