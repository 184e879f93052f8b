import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askerOf } from "../support/graphql-answers.js";
import { webhookSecret } from "../support/paying-organization.js";
import { eventually } from "../support/eventually.js";
import { goodCard, startPaymentsApi, type Nodes, type PaymentsApi } from "../support/payments-api.js";

let started: PaymentsApi;
let weir: PaymentsApi["weir"];
let paying: PaymentsApi["paying"];
let other: PaymentsApi["other"];
let others: PaymentsApi["others"];
let api: PaymentsApi["api"];
let otherApi: PaymentsApi["otherApi"];
let attach: PaymentsApi["attach"];
let billed: PaymentsApi["billed"];

beforeAll(async () => {
  started = await startPaymentsApi("provider-accounts-graphql");
  ({ weir, paying, other, others, api, otherApi, attach, billed } = started);
});
afterAll(() => started?.close());

const newSecret = "sk_test_rotated_by_hand";

describe("provider accounts", () => {
  const secrets = (key: string) => `secrets: [{ name: "secretKey", value: "${key}" }]`;

  test("say what they are made of, are created and updated, and never tell a secret", async () => {
    const { providers } = await api.ask<{
      providers: { name: string; secrets: { name: string; required: boolean }[] }[];
    }>("{ providers { name title settings { name } secrets { name required description } } }");
    expect(providers.find(({ name }) => name === "stripe")?.secrets.map(({ name }) => name)).toEqual([
      "secretKey",
      "webhookSecret",
    ]);
    const create = `createProviderAccount(key: "second", provider: "stripe", name: "Second", ${secrets("sk_test_second")}, currencies: ["usd", "EUR"])`;
    const selection =
      "{ id key name secretNames currencies settings { name value } webhookPath webhookUrl archivedAt }";
    const made = await api.change<{ id: string; webhookUrl: string }>(create, selection, "make-second");
    expect(made).toMatchObject({
      key: "second",
      name: "Second",
      secretNames: ["secretKey"],
      currencies: ["USD", "EUR"],
    });
    expect(made.webhookUrl).toBe(`${weir.url}/v1/webhooks/${paying.caller.organization}/${made.id}`);
    expect(await api.change<{ id: string }>(create, selection, "make-second")).toEqual(made);
    expect(await api.refusal(create.replace("Second", "Third"), "make-second")).toBe(
      "idempotency-key-reused",
    );
    const updated = await api.change(
      `updateProviderAccount(account: "second", currencies: [], settings: [{ name: "apiBase", value: "${paying.stripe.url}" }],
        secrets: [{ name: "secretKey", value: "${newSecret}" }, { name: "webhookSecret", value: "${webhookSecret}" }])`,
      selection,
    );
    expect(updated).toMatchObject({
      name: "Second",
      secretNames: ["secretKey", "webhookSecret"],
      currencies: [],
      settings: [{ name: "apiBase", value: paying.stripe.url }],
    });
    const less = `updateProviderAccount(account: "${made.id}", settings: [{ name: "apiBase" }], secrets: [{ name: "webhookSecret", value: null }])`;
    expect(await api.change(less, selection)).toMatchObject({ secretNames: ["secretKey"], settings: [] });
    const archived = await api.change<{ archivedAt: string }>(
      'archiveProviderAccount(account: "second")',
      "{ archivedAt }",
    );
    expect(archived.archivedAt).not.toBeNull();
    expect(await api.change('archiveProviderAccount(account: "second")', "{ archivedAt }")).toEqual(archived);
    const { providerAccounts, providerAccount } = await api.ask<{
      providerAccounts: Nodes<{ key: string }>;
      providerAccount: { key: string };
    }>(
      `{ providerAccounts { nodes { key secretNames } } providerAccount(idOrKey: "second") { key secretNames } }`,
    );
    expect(providerAccounts.nodes.map(({ key }) => key)).toEqual(["stripe", "second"]);
    expect(providerAccount.key).toBe("second");
  });

  test("are refused with every fault by field, and without the values", async () => {
    const bad = await api.answer(
      `createProviderAccount(key: "No Spaces", provider: "stripe", secrets: [{ name: "sekretKey", value: "sk_test_typo_in_its_name" }], currencies: ["XXQ"])`,
      "{ id }",
    );
    expect(bad.code).toBe("invalid-provider-account");
    expect(bad.details?.errors?.map(({ field }) => field)).toEqual([
      "key",
      "secrets.sekretKey",
      "secrets.secretKey",
      "currencies.0",
    ]);
    const taken = `createProviderAccount(key: "stripe", provider: "stripe", ${secrets("sk_test_other")})`;
    expect(await api.refusal(taken)).toBe("provider-account-exists");
    const elsewhere = `createProviderAccount(key: "e", provider: "stripe", ${secrets("sk_live_real")}, settings: [{ name: "apiBase", value: "https://example.com" }])`;
    expect(await api.answer(elsewhere, "{ id }")).toMatchObject({
      code: "invalid-provider-account",
      details: { errors: [{ field: "settings.apiBase" }] },
    });
    const twice = `createProviderAccount(key: "t", provider: "stripe", secrets: [{ name: "secretKey", value: "sk_test_aaaa" }, { name: "secretKey", value: "sk_test_bbbb" }])`;
    expect(await api.answer(twice, "{ id }")).toMatchObject({
      details: { errors: [{ field: "secrets.secretKey" }] },
    });
    expect(await api.refusal(`createProviderAccount(key: "n", provider: "nobody")`)).toBe(
      "invalid-provider-account",
    );
    expect(await api.refusal(`updateProviderAccount(account: "second", name: "x")`)).toBe(
      "provider-account-archived",
    );
    expect(await api.refusal(`archiveProviderAccount(account: "${other.account}")`)).toBe(
      "provider-account-not-found",
    );
    expect(await api.refusal(`updateProviderAccount(account: "${other.account}", name: "x")`)).toBe(
      "provider-account-not-found",
    );
  });

  test("an organization in test mode takes no live key", async () => {
    const { identity } = weir.weir.services;
    const { id } = await identity.createOrganization({ slug: "trying", name: "trying", mode: "test" });
    const { secret } = await identity.issueSystemKey(id, { name: "trying", kind: "secret" });
    const trying = askerOf(weir, secret);
    const create = (key: string) =>
      `createProviderAccount(key: "stripe", provider: "stripe", ${secrets(key)})`;
    expect(await trying.refusal(create("sk_live_would_move_money"))).toBe("live-key-in-test-mode");
    await trying.change(create("sk_test_fine"), "{ id }");
  });
});

describe("payment methods", () => {
  test("are attached, made the default and detached", async () => {
    await paying.customer("payer");
    const first = await attach("payer");
    const second = await attach("payer", "5555555555554444");
    expect([first.isDefault, second.isDefault]).toEqual([true, false]);
    await api.change(`setDefaultPaymentMethod(method: "${second.id}")`, "{ id }");
    await api.change(`detachPaymentMethod(method: "${first.id}")`, "{ id detachedAt }");
    const again = await api.change<{ detachedAt: string }>(
      `detachPaymentMethod(method: "${first.id}")`,
      "{ detachedAt }",
    );
    expect(again.detachedAt).not.toBeNull();
    expect(await api.refusal(`setDefaultPaymentMethod(method: "${first.id}")`)).toBe(
      "payment-method-detached",
    );
    const { customer, paymentMethods, paymentMethod } = await api.ask<{
      customer: { paymentMethods: Nodes<object>; all: Nodes<object> };
      paymentMethods: Nodes<object>;
      paymentMethod: object;
    }>(`{
      customer(idOrKey: "payer") { paymentMethods { nodes { id } } all: paymentMethods(detached: true) { nodes { id } } }
      paymentMethods(customer: "payer") { nodes { kind brand last4 expires isDefault account { key } customer { key } } }
      paymentMethod(id: "${second.id}") { isDefault }
    }`);
    expect(customer.paymentMethods.nodes).toEqual([{ id: second.id }]);
    expect(customer.all.nodes).toHaveLength(2);
    expect(paymentMethods.nodes).toMatchObject([
      {
        kind: "card",
        brand: "mastercard",
        last4: "4444",
        isDefault: true,
        account: { key: "stripe" },
        customer: { key: "payer" },
      },
    ]);
    expect(paymentMethod).toEqual({ isDefault: true });
  });

  test("are refused: unknown to the provider, another organization's, at an archived account, another request's key", async () => {
    const { simulator } = paying.stripe;
    const attaching = (customer: string, account: string, method: string) =>
      `attachPaymentMethod(customer: "${customer}", account: "${account}", method: "${method}")`;
    expect(await api.refusal(attaching("payer", "stripe", "pm_unknown"))).toBe("provider-refused");
    const method = simulator.createPaymentMethod({ number: goodCard });
    expect(await api.refusal(attaching(others.customer, "stripe", method))).toBe("customer-not-found");
    expect(await api.refusal(attaching("payer", other.account, method))).toBe("provider-account-not-found");
    expect(await api.refusal(attaching("payer", "second", method))).toBe("provider-account-archived");
    expect(await api.refusal(`setDefaultPaymentMethod(method: "${others.method}")`)).toBe(
      "payment-method-not-found",
    );
    expect(await api.refusal(`detachPaymentMethod(method: "${others.method}")`)).toBe(
      "payment-method-not-found",
    );
    await api.change(attaching("payer", "stripe", method), "{ id }", "attach-1");
    const another = simulator.createPaymentMethod({ number: goodCard });
    expect(await api.refusal(attaching("payer", "stripe", another), "attach-1")).toBe(
      "idempotency-key-reused",
    );
  });

  test("a card is entered on the provider's page, and is the default from then on", async () => {
    await paying.customer("entering");
    const page = 'createPaymentSetupPage(customer: "entering", returnUrl: "https://shop.example/back")';
    const { url } = await api.change<{ url: string }>(page, "{ url }", "page-1");
    expect(await api.change(page, "{ url }", "page-1")).toEqual({ url });
    const back = await enterCard(url);
    expect(back.headers.get("location")).toBe("https://shop.example/back");
    await eventually(
      async () =>
        (
          await api.ask<{ paymentMethods: Nodes<{ isDefault: boolean }> }>(
            '{ paymentMethods(customer: "entering") { nodes { isDefault } } }',
          )
        ).paymentMethods.nodes,
      ([method]) => method?.isDefault === true,
    );
    expect(
      await api.refusal('createPaymentSetupPage(customer: "entering", returnUrl: "javascript:alert(1)")'),
    ).toBe("invalid-return-url");
    expect(await api.refusal('createPaymentSetupPage(customer: "entering", account: "second")')).toBe(
      "provider-account-archived",
    );
    expect(await api.refusal(`createPaymentSetupPage(customer: "${others.customer}")`)).toBe(
      "customer-not-found",
    );
  });
});

function enterCard(url: string, number = goodCard): Promise<Response> {
  return fetch(url, {
    method: "POST",
    redirect: "manual",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ number, expiry: "12/40", cvc: "123" }).toString(),
  });
}

describe("events of providers", () => {
  interface Event {
    readonly id: string;
    readonly type: string;
    readonly state: string;
    readonly note: string | null;
    readonly replays: number;
  }
  const selection =
    "{ id type objectType objectId state note replays happenedAt receivedAt processedAt account { key } }";

  test("are listed newest first, page by page", async () => {
    const { payment } = await billed("eventful", "4000000000000259");
    const disputeOf = async () =>
      (
        await api.ask<{ disputes: Nodes<{ id: string; state: string }> }>(
          `{ disputes(payment: "${payment}") { nodes { id state } } }`,
        )
      ).disputes.nodes[0];
    const dispute = await eventually(disputeOf, (found) => found !== undefined);
    await api.change(`acceptDispute(dispute: "${dispute!.id}")`, "{ id }");
    await eventually(
      async () =>
        (
          await api.ask<{ providerEvents: Nodes<Event> }>(
            "{ providerEvents(state: processed, first: 200) { nodes { type } } }",
          )
        ).providerEvents.nodes,
      (events) => events.some(({ type }) => type === "charge.dispute.closed"),
    );
    const types: string[] = [];
    let after = "";
    for (;;) {
      const { providerEvents } = await api.ask<{
        providerEvents: Nodes<Event> & { pageInfo: { endCursor: string; hasNextPage: boolean } };
      }>(
        `{ providerEvents(account: "stripe", first: 4${after}) { nodes ${selection} pageInfo { endCursor hasNextPage } } }`,
      );
      types.push(...providerEvents.nodes.map(({ id, type }) => `${id} ${type}`));
      if (!providerEvents.pageInfo.hasNextPage) break;
      after = `, after: "${providerEvents.pageInfo.endCursor}"`;
    }
    expect(new Set(types).size).toBe(types.length);
    expect(types.some((type) => type.endsWith("charge.dispute.created"))).toBe(true);
    for (const bad of ["x", "12", "99999999999999999999 evt", `1 ${"e".repeat(300)}`])
      await expect(api.ask(`{ providerEvents(after: "${bad}") { nodes { id } } }`), bad).rejects.toThrow(
        "invalid-page",
      );
  });

  test("are processed again by hand, which does nothing twice", async () => {
    const { providerEvents } = await api.ask<{ providerEvents: Nodes<Event> }>(
      `{ providerEvents(state: processed, first: 200) { nodes ${selection} } }`,
    );
    const event = providerEvents.nodes.find(({ type }) => type === "charge.dispute.closed")!;
    const replay = `replayProviderEvent(account: "stripe", event: "${event.id}")`;
    expect(await api.change<Event>(replay, selection, "replay-1")).toMatchObject({ replays: 1 });
    const processed = await eventually(
      async () =>
        (
          await api.ask<{ providerEvents: Nodes<Event> }>(
            `{ providerEvents(first: 200) { nodes ${selection} } }`,
          )
        ).providerEvents.nodes.find(({ id }) => id === event.id)!,
      ({ state }) => state === "processed",
    );
    expect(processed).toMatchObject({ note: event.note, replays: 1 });
    expect(await api.change<Event>(replay, selection, "replay-1")).toMatchObject({ replays: 1 });
    const { trialBalance } = await api.ask<{ trialBalance: object }>(
      "{ trialBalance { balanced differences { code } } }",
    );
    expect(trialBalance).toEqual({ balanced: true, differences: [] });
  });

  test("that there are not, or are another organization's, are refused", async () => {
    expect(await api.refusal('replayProviderEvent(account: "stripe", event: "evt_unknown")')).toBe(
      "provider-event-not-found",
    );
    const theirs = await otherApi.ask<{ providerEvents: Nodes<Event> }>(
      "{ providerEvents { nodes { id } } }",
    );
    const [event] = theirs.providerEvents.nodes;
    expect(event).toBeDefined();
    expect(await api.refusal(`replayProviderEvent(account: "${other.account}", event: "${event!.id}")`)).toBe(
      "provider-account-not-found",
    );
    expect(await api.refusal(`backfillProviderEvents(account: "${other.account}")`)).toBe(
      "provider-account-not-found",
    );
  });

  test("whose webhooks never came are taken from the provider's list, each once", async () => {
    const first = await api.change<{ taken: number }>(
      'backfillProviderEvents(account: "stripe")',
      "{ taken }",
      "backfill-1",
    );
    expect(await api.change('backfillProviderEvents(account: "stripe")', "{ taken }", "backfill-1")).toEqual(
      first,
    );
    const { simulator } = paying.stripe;
    simulator.faults.add({ effect: { kind: "webhook_lost" } });
    await billed("unheard", goodCard);
    await simulator.settle();
    simulator.faults.clear();
    const { taken } = await api.change<{ taken: number }>(
      'backfillProviderEvents(account: "stripe")',
      "{ taken }",
    );
    expect(taken).toBeGreaterThan(0);
    expect(await api.change('backfillProviderEvents(account: "stripe")', "{ taken }")).toEqual({ taken: 0 });
  });
});

test("every change is on record, and no secret is in it or in any other answer", async () => {
  await started.expectRecorded(
    "provider_account.create",
    "provider_account.update",
    "provider_account.archive",
    "payment_method.attach",
    "payment_method.set_default",
    "payment_method.detach",
    "payment_method.setup_page",
    "provider_event.replay",
    "provider_event.backfill",
  );
  const { auditLog } = await api.ask<{ auditLog: Nodes<object> }>(
    '{ auditLog(action: "provider_account.update") { nodes { before after } } }',
  );
  expect(JSON.stringify(auditLog.nodes)).toContain('"changed":["secretKey","webhookSecret"]');
  started.expectNoSecret(
    newSecret,
    "sk_test_second",
    "sk_live_real",
    "sk_test_typo_in_its_name",
    "sk_test_aaaa",
    "sk_live_would_move_money",
  );
});
