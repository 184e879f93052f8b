import { afterAll, beforeAll, expect, test } from "vitest";
import { fillOrganization, type FilledOrganization } from "../support/filled-organization.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let filled: FilledOrganization;

beforeAll(async () => {
  weir = await startTestWeir("audit");
  filled = await fillOrganization(weir, "audited");
});
afterAll(() => weir.close());

interface Entry {
  readonly action: string;
  readonly target: string;
  readonly actor: string;
  readonly before: unknown;
  readonly after: unknown;
}

interface Page {
  readonly nodes: readonly Entry[];
  readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
}

async function entries(): Promise<Entry[]> {
  const found: Entry[] = [];
  let page: Page | undefined;
  do {
    const source = `query ($after: String) { auditLog(first: 100, after: $after) {
      nodes { action target actor before after } pageInfo { endCursor hasNextPage } } }`;
    const variables = { after: page?.pageInfo.endCursor };
    page = (await weir.graphql<{ auditLog: Page }>(source, variables, filled.key)).auditLog;
    found.push(...page.nodes);
  } while (page.pageInfo.hasNextPage);
  return found;
}

async function change(mutation: string): Promise<void> {
  const { answer } = await weir.graphql<{ answer: { __typename: string } }>(
    `mutation { answer: ${mutation} { __typename ... on RefusalError { message } } }`,
    {},
    filled.key,
  );
  expect(answer.__typename, JSON.stringify(answer)).toMatch(/Success$/);
}

test("every change is on record: what, of which thing, by which key, before and after", async () => {
  const { ids } = filled;
  // Before the meter measures its history anew, which invoices wait for.
  await change(`refreshInvoice(id: "${ids.invoice}")`);
  await change(`changeMeter(meter: "${ids.meter}", name: "renamed")`);
  await change(`changeMeter(meter: "${ids.meter}", eventType: "another")`);
  await change('createMeter(slug: "gone", eventType: "t", aggregation: COUNT)');
  await change('archiveMeter(meter: "gone")');
  await change(
    `assignSubject(customer: "${ids.customer}", subject: "another", from: "2026-01-01T00:00:00Z")`,
  );
  await change(`endSubject(customer: "${ids.customer}", subject: "another", at: "2026-02-01T00:00:00Z")`);
  await change('createApiKey(name: "second", kind: secret)');
  await change(`revokeApiKey(id: "${ids.apiKey}")`);
  const written = await entries();
  const made = ["after"] as const;
  const changed = ["before", "after"] as const;
  const expected: readonly [string, string | undefined, readonly ("before" | "after")[]][] = [
    ["key.create", ids.apiKey, made],
    ["key.revoke", ids.apiKey, changed],
    ["meter.create", ids.meter, made],
    ["meter.rename", ids.meter, changed],
    ["meter.new_version", ids.meter, changed],
    ["meter.archive", undefined, changed],
    ["plan.create", ids.plan, made],
    ["customer.create", ids.customer, made],
    ["subject.assign", ids.customer, made],
    ["subject.end", ids.customer, changed],
    ["subscription.create", ids.subscription, made],
    ["invoice.create", ids.invoice, made],
    ["invoice.refresh", ids.invoice, changed],
    ["import.start", ids.import, made],
    ["provider_account.create", ids.providerAccount, made],
    ["payment_method.attach", ids.paymentMethod, made],
    ["payment_method.create_update_link", ids.payer, made],
    ["payment.receive", undefined, made],
    ["refund.create", ids.refund, changed],
    ["dispute.submit_evidence", ids.dispute, changed],
    ["collection.pause", undefined, made],
    ["dunning.set_schedule", filled.id, changed],
  ];
  for (const [action, target, sides] of expected) {
    const entry = written.find((each) => each.action === action && (target ?? each.target) === each.target);
    expect(entry, `${action} of ${target ?? "anything"}`).toBeDefined();
    expect(entry!.actor, action).toMatch(/^(key_|system$)/);
    for (const side of sides) expect(entry![side], `${action}, ${side}`).not.toBeNull();
  }
});
