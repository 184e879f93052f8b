import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askerOf, type Asker } from "../support/graphql-answers.js";
import {
  startPayingOrganization,
  stripeKey,
  webhookSecret,
  type PayingOrganization,
} from "../support/paying-organization.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let paying: PayingOrganization;
let other: PayingOrganization;
let api: Asker;
/** What another organization has, and a caller of the first must not reach. */
let others: { customer: string; invoice: string; method: string; attempt: string; payment: string };
/** Every answer that the API gave. */
const texts: string[] = [];
const newSecret = "sk_test_rotated_by_hand";
const good = "4242424242424242";
let month = 0;

beforeAll(async () => {
  weir = await startTestWeir("payments-graphql");
  const quick = {
    delays: { refund_ms: 20, dispute_ms: 20, disputeDecision_ms: 20, available_ms: 0, payout_ms: 20 },
  };
  paying = await startPayingOrganization(weir, "paying", quick);
  other = await startPayingOrganization(weir, "other", quick);
  api = askerOf(weir, paying.key, texts);
  const theirs = askerOf(weir, other.key);
  await other.customer("theirs", good);
  await other.advance("2028-02-01T00:00:00Z");
  const { customer } = await theirs.ask<{
    customer: { id: string; paymentMethods: Nodes<{ id: string }>; payments: Nodes<PaidPart> };
  }>(
    `{ customer(idOrKey: "theirs") { id paymentMethods { nodes { id } } payments { nodes { id attempt { id } allocations { invoiceId } } } } }`,
  );
  const [payment] = customer.payments.nodes;
  others = {
    customer: customer.id,
    method: customer.paymentMethods.nodes[0]!.id,
    payment: payment!.id,
    attempt: payment!.attempt!.id,
    invoice: payment!.allocations[0]!.invoiceId,
  };
});
afterAll(async () => {
  await paying?.stop();
  await other?.stop();
  await weir?.close();
});

interface Nodes<T> {
  readonly nodes: readonly T[];
}
interface PaidPart {
  readonly id: string;
  readonly attempt: { readonly id: string } | null;
  readonly allocations: readonly { readonly invoiceId: string }[];
}
interface Money {
  readonly amount: string;
  readonly currency: string;
}
interface Attempt {
  readonly id: string;
  readonly state: string;
  readonly decline: { readonly code: string; readonly hardness: string } | null;
}

const money = "{ amount currency }";
const attemptSelection = "{ id state decline { code hardness } }";
const advance = () => {
  month += 1;
  return paying.advance(`${new Date(Date.UTC(2028, month, 1)).toISOString().slice(0, 10)}T00:00:00Z`);
};

async function eventually<T>(ask: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const value = await ask();
    if (isDone(value)) return value;
    if (tries > 200) throw new Error(`it never came to it: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A customer on the clock's next month: its invoice, and what it paid when it has a card. */
async function billed(
  name: string,
  card?: string,
): Promise<{ id: string; invoice: string; payment: string | undefined }> {
  const id = await paying.customer(name, card);
  await advance();
  const { customer } = await api.ask<{
    customer: { receivables: Nodes<{ invoiceId: string }>; payments: Nodes<{ id: string }> };
  }>(`{ customer(idOrKey: "${name}") { receivables { nodes { invoiceId } } payments { nodes { id } } } }`);
  return { id, invoice: customer.receivables.nodes[0]!.invoiceId, payment: customer.payments.nodes[0]?.id };
}

/** A customer of another currency, with what it owes of one flat fee. */
async function billedIn(currency: string, fee: string): Promise<{ customer: string; invoice: string }> {
  const name = `in-${currency.toLowerCase()}`;
  await api.change(
    `createPlan(key: "${name}", name: "${name}", currency: "${currency}", graceHours: 0, prices: [
      { key: "fee", name: "Fee", charge: flat, timing: arrears, model: { flat: "${fee}" } }])`,
    "{ id }",
  );
  await api.change(
    `createCustomer(key: "${name}", name: "${name}", timeZone: "UTC", currency: "${currency}")`,
    "{ id }",
  );
  await api.change(`createSubscription(customer: "${name}", plan: "${name}")`, "{ id }");
  await advance();
  const { customer } = await api.ask<{ customer: { receivables: Nodes<{ invoiceId: string }> } }>(
    `{ customer(idOrKey: "${name}") { receivables { nodes { invoiceId } } } }`,
  );
  return { customer: name, invoice: customer.receivables.nodes[0]!.invoiceId };
}

const attach = (customer: string, number = good, more = "") =>
  api.change<{ id: string; isDefault: boolean }>(
    `attachPaymentMethod(customer: "${customer}", account: "stripe", method: "${paying.stripe.simulator.createPaymentMethod({ number })}"${more})`,
    "{ id isDefault }",
  );
const attemptUntil = (id: string, isDone: (attempt: Attempt) => boolean) =>
  eventually(
    async () =>
      (await api.ask<{ paymentAttempt: Attempt }>(`{ paymentAttempt(id: "${id}") ${attemptSelection} }`))
        .paymentAttempt,
    isDone,
  );
const receivableOf = async (invoice: string) =>
  (
    await api.ask<{
      invoice: {
        receivable: { state: string; open: Money; paid: Money; writtenOff: Money; overdue: boolean };
      };
    }>(
      `{ invoice(id: "${invoice}") { receivable { state overdue open ${money} paid ${money} writtenOff ${money} } } }`,
    )
  ).invoice.receivable;

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
    expect(made.webhookUrl).toBe(
      `${weir.url}v1/webhooks/${paying.caller.organization}/${made.id}`.replace(/([^:])\/\//, "$1/"),
    );
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
    const trying = askerOf(weir, secret, texts);
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
    const method = simulator.createPaymentMethod({ number: good });
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
    const another = simulator.createPaymentMethod({ number: good });
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

/** What a person does on the provider's page. */
function enterCard(url: string, number = good): Promise<Response> {
  return fetch(url, {
    method: "POST",
    redirect: "manual",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ number, expiry: "12/40", cvc: "123" }).toString(),
  });
}

describe("card-update links", () => {
  const open = (url: string, method = "GET") => fetch(url, { method, redirect: "manual" });
  const linkFor = (customer: string, more = "") =>
    api.change<{ url: string; expiresAt: string }>(
      `createCardUpdateLink(customer: "${customer}"${more})`,
      "{ url expiresAt account { key } customer { key } }",
    );

  test("lead to the provider's page, on which a card becomes the default", async () => {
    await paying.customer("linked");
    const link = await linkFor("linked");
    expect(link).toMatchObject({ account: { key: "stripe" }, customer: { key: "linked" } });
    expect(link.url.startsWith(weir.url)).toBe(true);
    const response = await open(link.url);
    expect(response.status).toBe(303);
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const page = response.headers.get("location")!;
    expect(page.startsWith(paying.stripe.url)).toBe(true);
    const back = await enterCard(page);
    const done = await open(back.headers.get("location")!);
    expect(done.status).toBe(200);
    expect(await done.text()).toContain("You can close this page");
    await eventually(
      async () =>
        (
          await api.ask<{ customer: { paymentMethods: Nodes<{ isDefault: boolean }> } }>(
            '{ customer(idOrKey: "linked") { paymentMethods { nodes { isDefault } } } }',
          )
        ).customer.paymentMethods.nodes,
      ([method]) => method?.isDefault === true,
    );
  });

  test("end after 30 days of the organization's time, and tell nothing of anyone", async () => {
    await paying.customer("late");
    const { url, expiresAt } = await linkFor("late");
    await advance();
    const { testClock } = await api.ask<{ testClock: { now: string } }>("{ testClock { now } }");
    expect(Date.parse(expiresAt)).toBeLessThan(Date.parse(testClock.now));
    const response = await open(url);
    expect(response.status).toBe(410);
    const text = await response.text();
    expect(text).toContain("This link has expired");
    expect(text).not.toMatch(/late|paying|script|cus_|org_/);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  });

  test("changed, cut or made up, they are not valid; and mail programs that only check open nothing", async () => {
    await paying.customer("checked");
    const { url } = await linkFor("checked");
    const token = url.slice(url.lastIndexOf("/") + 1);
    const theirs = await askerOf(weir, other.key).change<{ url: string }>(
      'createCardUpdateLink(customer: "theirs")',
      "{ url }",
    );
    const stolen = Buffer.from(token, "base64url");
    // The other organization's customer under this one's signature.
    Buffer.from(theirs.url.slice(theirs.url.lastIndexOf("/") + 1), "base64url").copy(stolen, 17, 17, 33);
    for (const bad of [token.slice(1), `${token}x`, stolen.toString("base64url"), "nothing", "%00"]) {
      const response = await open(new URL(`/pay/${bad}`, weir.url).href);
      expect(response.status, bad).toBe(404);
      expect(await response.text()).toContain("This link is not valid");
    }
    expect((await open(url, "HEAD")).status).toBe(404);
  });

  test("are the same again under the same key, and are refused where they would lead nowhere", async () => {
    const link = 'createCardUpdateLink(customer: "linked")';
    const made = await api.change(link, "{ url }", "link-1");
    expect(await api.change(link, "{ url }", "link-1")).toEqual(made);
    expect(await api.refusal('createCardUpdateLink(customer: "late")', "link-1")).toBe(
      "idempotency-key-reused",
    );
    expect(await api.refusal('createCardUpdateLink(customer: "linked", account: "second")')).toBe(
      "provider-account-archived",
    );
    expect(await api.refusal(`createCardUpdateLink(customer: "${others.customer}")`)).toBe(
      "customer-not-found",
    );
    expect(await api.refusal(`createCardUpdateLink(customer: "linked", account: "${other.account}")`)).toBe(
      "provider-account-not-found",
    );
  });

  test("whose customer was erased, or whose account was archived, are of no use any more", async () => {
    await paying.customer("leaving");
    const { url } = await linkFor("leaving");
    await api.change('eraseCustomer(customer: "leaving", confirm: "leaving")', "{ customer { id } }");
    expect((await open(url)).status).toBe(410);
    await api.change(
      `createProviderAccount(key: "brief", provider: "stripe", secrets: [{ name: "secretKey", value: "sk_test_brief" }], settings: [{ name: "apiBase", value: "${paying.stripe.url}" }])`,
      "{ id }",
    );
    const { url: brief } = await linkFor("linked", ', account: "brief"');
    await api.change('archiveProviderAccount(account: "brief")', "{ id }");
    expect((await open(brief)).status).toBe(410);
  });

  test("opened again and again they make no more pages at the provider", async () => {
    await paying.customer("eager");
    const { url } = await linkFor("eager");
    const statuses: number[] = [];
    for (let visits = 0; visits < 12; visits += 1) statuses.push((await open(url)).status);
    expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 303));
    expect(statuses.slice(10)).toEqual([429, 429]);
    const last = await open(url);
    expect(Number(last.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await last.text()).toContain("opened too often");
  });
});

describe("charging an invoice", () => {
  test("an attempt is stored, and what became of it is told with its history, run and payment", async () => {
    const { invoice } = await billed("charged");
    await attach("charged");
    const pay = `payInvoice(invoice: "${invoice}", amount: "5.00")`;
    const attempt = await api.change<Attempt>(pay, attemptSelection, "pay-1");
    expect(await api.change<Attempt>(pay, attemptSelection, "pay-1")).toMatchObject({ id: attempt.id });
    expect(await api.refusal(pay.replace("5.00", "6.00"), "pay-1")).toBe("idempotency-key-reused");
    await attemptUntil(attempt.id, ({ state }) => state === "succeeded");
    expect(await receivableOf(invoice)).toMatchObject({
      state: "open",
      open: { amount: "15.00" },
      paid: { amount: "5.00" },
    });
    const { paymentAttempt } = await api.ask<{
      paymentAttempt: {
        events: { input: string; state: string }[];
        run: string;
        payment: { settlement: object };
      };
    }>(`{ paymentAttempt(id: "${attempt.id}") {
      number providerRef invoice { id } method { last4 } account { key } run events { position input outcome state at }
      payment { amount ${money} toBalance ${money} toppedUp ${money} settlement { providerRef gross ${money} fee ${money} net ${money} rate }
        attempt { id } allocations { invoiceId amount ${money} } postings { reason transfers { debit credit amount ${money} } } }
    } }`);
    expect(paymentAttempt).toMatchObject({ number: 1, invoice: { id: invoice }, method: { last4: "4242" } });
    expect(paymentAttempt.events.map(({ input, state }) => `${input} ${state}`)).toEqual([
      "created pending",
      "succeeded succeeded",
    ]);
    expect(paymentAttempt.payment).toMatchObject({
      amount: { amount: "5.00" },
      toBalance: { amount: "0.00" },
      settlement: { gross: { amount: "5.00" }, fee: { amount: "0.45" }, net: { amount: "4.55" }, rate: null },
      attempt: { id: attempt.id },
      allocations: [{ invoiceId: invoice, amount: { amount: "5.00" } }],
      postings: [
        { reason: "payment.capture", transfers: [{ amount: { amount: "5.00" } }] },
        { reason: "payment.settle", transfers: [{ debit: "provider_fees", amount: { amount: "0.45" } }] },
      ],
    });
    const { run } = await api.ask<{ run: { steps: object[] } }>(
      `{ run(id: "${paymentAttempt.run}") { steps { name state } } }`,
    );
    expect(run.steps.length).toBeGreaterThan(3);

    const rest = await api.change<Attempt>(`payInvoice(invoice: "${invoice}")`, attemptSelection);
    await attemptUntil(rest.id, ({ state }) => state === "succeeded");
    expect(await receivableOf(invoice)).toMatchObject({ state: "paid", open: { amount: "0.00" } });
    expect(await api.refusal(`payInvoice(invoice: "${invoice}")`)).toBe("nothing-owed");
    const { invoice: paid } = await api.ask<{
      invoice: { attempts: Nodes<object>; payments: Nodes<object> };
    }>(
      `{ invoice(id: "${invoice}") { attempts { nodes { number state run } } payments(first: 10) { nodes { amount ${money} } } } }`,
    );
    expect(paid.attempts.nodes).toMatchObject([{ number: 1 }, { number: 2 }]);
    expect(paid.payments.nodes).toHaveLength(2);
  });

  test("is refused: unknown or another's invoice, a draft, no method, an amount that is not open or not of the currency", async () => {
    const { invoice } = await billed("refused");
    const pay = (more: string, of = invoice) => api.refusal(`payInvoice(invoice: "${of}"${more})`);
    expect(await pay("", others.invoice)).toBe("invoice-not-found");
    expect(await pay(', amount: "1.00"', others.invoice)).toBe("invoice-not-found");
    const { subscriptions } = await api.ask<{ subscriptions: Nodes<{ id: string }> }>(
      '{ subscriptions(customer: "refused") { nodes { id } } }',
    );
    const { invoice: draft } = await api.change<{ invoice: { id: string } }>(
      `createInvoice(subscription: "${subscriptions.nodes[0]!.id}")`,
      "{ invoice { id } }",
    );
    expect(await pay("", draft.id)).toBe("invoice-not-finalized");
    expect(await pay("")).toBe("no-payment-method");
    expect(await pay(`, method: "${others.method}"`)).toBe("no-payment-method");
    for (const amount of ["0", "-1.00", "1.001", "ten", "99999999999999999999.00"])
      expect(await pay(`, amount: "${amount}"`), amount).toBe("invalid-amount");
    await attach("refused");
    expect(await pay(', amount: "20.01"')).toBe("invalid-amount");
  });

  test("a currency that the account lacks is refused, and says which it has", async () => {
    await api.change(
      `createProviderAccount(key: "euros", provider: "stripe", currencies: ["EUR"], secrets: [{ name: "secretKey", value: "${stripeKey}" }], settings: [{ name: "apiBase", value: "${paying.stripe.url}" }])`,
      "{ id }",
    );
    const { invoice } = await billed("dollars");
    const { id } = await api.change<{ id: string }>(
      `attachPaymentMethod(customer: "dollars", account: "euros", method: "${paying.stripe.simulator.createPaymentMethod({ number: good })}")`,
      "{ id }",
    );
    const answer = await api.answer(`payInvoice(invoice: "${invoice}", method: "${id}")`, "{ id }");
    expect(answer).toMatchObject({
      code: "currency-not-charged",
      message: expect.stringContaining("EUR") as string,
    });
    await api.change('archiveProviderAccount(account: "euros")', "{ id }");
    expect(await api.refusal(`payInvoice(invoice: "${invoice}", method: "${id}")`)).toBe(
      "provider-account-archived",
    );
  });

  test("yen have no decimals, dinars three: amounts are read, charged and shown by the currency", async () => {
    const yen = await billedIn("JPY", "1250");
    await attach(yen.customer);
    expect(
      await api.answer(`payInvoice(invoice: "${yen.invoice}", amount: "1250.5")`, "{ id }"),
    ).toMatchObject({
      code: "invalid-amount",
      message: expect.stringContaining("JPY has no decimals") as string,
    });
    const paid = await api.change<Attempt & { amount: Money }>(
      `payInvoice(invoice: "${yen.invoice}", amount: "250")`,
      `{ id state amount ${money} }`,
    );
    expect(paid.amount).toEqual({ amount: "250", currency: "JPY" });
    await attemptUntil(paid.id, ({ state }) => state === "succeeded");
    expect(await receivableOf(yen.invoice)).toMatchObject({ open: { amount: "1000", currency: "JPY" } });
    expect(paying.stripe.simulator.ledger).toBeDefined();

    const dinars = await billedIn("KWD", "1.235");
    await attach(dinars.customer);
    expect(await api.refusal(`payInvoice(invoice: "${dinars.invoice}", amount: "1.2345")`)).toBe(
      "invalid-amount",
    );
    // Stripe takes the last digit of three as zero only: said before anything is sent.
    const whole = await api.change<Attempt>(`payInvoice(invoice: "${dinars.invoice}")`, attemptSelection);
    const failed = await attemptUntil(whole.id, ({ state }) => state === "failed");
    expect(failed.decline).toEqual({ code: "amount", hardness: "setup" });
    const part = await api.change<Attempt>(
      `payInvoice(invoice: "${dinars.invoice}", amount: "1.230")`,
      attemptSelection,
    );
    await attemptUntil(part.id, ({ state }) => state === "succeeded");
    expect(await receivableOf(dinars.invoice)).toMatchObject({
      open: { amount: "0.005" },
      paid: { amount: "1.230" },
    });
  });

  test("an attempt that waits for its customer is canceled once; one that has ended is not", async () => {
    const { invoice } = await billed("absent");
    await attach("absent", "4000002760003184");
    const { id } = await api.change<Attempt>(`payInvoice(invoice: "${invoice}")`, attemptSelection);
    const ended = await attemptUntil(id, ({ state }) => state !== "pending" && state !== "processing");
    // Off-session, Stripe declines what needs the customer.
    expect(ended).toMatchObject({
      state: "failed",
      decline: { code: "authentication_required", hardness: "hard" },
    });
    expect(await api.refusal(`cancelPaymentAttempt(attempt: "${id}")`)).toBe("payment-attempt-ended");
    expect(
      await api.change<Attempt>(`lookUpPaymentAttempt(attempt: "${id}")`, attemptSelection),
    ).toMatchObject({ state: "failed" });
  });

  test("an outcome that nobody knows is looked up, canceled, or settled by a person", async () => {
    const { simulator } = paying.stripe;
    const unknown = async (name: string) => {
      const { invoice } = await billed(name);
      await attach(name);
      simulator.faults.add({ operation: "payment_intents.confirm", effect: { kind: "drop_before" } });
      simulator.faults.add({ operation: "payment_intents.retrieve", effect: { kind: "drop_before" } });
      simulator.faults.add({ operation: "payment_intents.cancel", effect: { kind: "drop_before" } });
      const { id } = await api.change<Attempt>(`payInvoice(invoice: "${invoice}")`, attemptSelection);
      await attemptUntil(id, ({ state }) => state === "unknown");
      return { id, invoice };
    };
    const settled = await unknown("unsure");
    expect(await api.refusal(`payInvoice(invoice: "${settled.invoice}")`)).toBe("payment-in-progress");
    expect(await api.refusal(`writeOffInvoice(invoice: "${settled.invoice}", reason: "gone")`)).toBe(
      "payment-in-progress",
    );
    expect(
      await api.change<Attempt>(`lookUpPaymentAttempt(attempt: "${settled.id}")`, attemptSelection),
    ).toMatchObject({ state: "unknown" });
    const settle = `settlePaymentAttempt(attempt: "${settled.id}", outcome: failed, reason: "not on the dashboard")`;
    expect(await api.refusal(settle.replace("not on the dashboard", ""))).toBe("invalid-settlement");
    const done = await api.change<Attempt>(settle, attemptSelection, "settle-1");
    expect(done).toMatchObject({ state: "failed", decline: { code: "settled_by_hand" } });
    expect(await api.change<Attempt>(settle, attemptSelection, "settle-1")).toEqual(done);
    expect(await api.refusal(settle)).toBe("payment-attempt-known");
    expect(await api.refusal(settle.replace("failed", "succeeded"), "settle-1")).toBe(
      "idempotency-key-reused",
    );

    const canceled = await unknown("cancelled");
    simulator.faults.clear();
    const cancel = `cancelPaymentAttempt(attempt: "${canceled.id}")`;
    const answer = await api.answer<Attempt>(cancel, attemptSelection, "cancel-1");
    // Its own run may have taken the money meanwhile: then that is what became of it.
    if (answer.data === undefined) expect(answer.code).toBe("payment-attempt-ended");
    else
      expect(await api.change<Attempt>(cancel, attemptSelection, "cancel-1")).toMatchObject({
        id: canceled.id,
      });
    for (const field of ["lookUpPaymentAttempt", "cancelPaymentAttempt"])
      expect(await api.refusal(`${field}(attempt: "${others.attempt}")`)).toBe("payment-attempt-not-found");
    expect(
      await api.refusal(`settlePaymentAttempt(attempt: "${others.attempt}", outcome: failed, reason: "r")`),
    ).toBe("payment-attempt-not-found");
  });

  test("attempts are listed by invoice, customer and state", async () => {
    const { paymentAttempts, failed, parked } = await api.ask<{
      paymentAttempts: Nodes<{ number: number }>;
      failed: Nodes<{ state: string }>;
      parked: Nodes<object>;
    }>(`{
      paymentAttempts(customer: "in-kwd") { nodes { number state } }
      failed: paymentAttempts(state: failed) { nodes { state } }
      parked: paymentAttempts(parked: true) { nodes { id } }
    }`);
    expect(paymentAttempts.nodes).toMatchObject([
      { number: 1, state: "failed" },
      { number: 2, state: "succeeded" },
    ]);
    expect(new Set(failed.nodes.map(({ state }) => state))).toEqual(new Set(["failed"]));
    expect(parked.nodes).toEqual([]);
    await expect(
      api.ask(`{ paymentAttempts(invoice: "${others.invoice}") { nodes { id } } }`),
    ).rejects.toThrow("invoice-not-found");
  });
});

describe("money that came in elsewhere", () => {
  test("pays what is open, first due first; what is too much is the customer's balance", async () => {
    const { id, invoice } = await billed("checks");
    const receive = (amount: string, reference: string, more = "") =>
      `receivePayment(customer: "checks", amount: "${amount}", currency: "USD", reference: "${reference}"${more})`;
    const selection = `{ id source sourceId amount ${money} toBalance ${money} note account { key } allocations { invoiceId amount ${money} } postings { reason } }`;
    const first = await api.change<{ id: string }>(
      receive("12.50", "check 1", ', note: "by post"'),
      selection,
      "check-1",
    );
    expect(first).toMatchObject({
      source: "manual",
      sourceId: "check 1",
      note: "by post",
      account: null,
      toBalance: { amount: "0.00" },
      allocations: [{ invoiceId: invoice, amount: { amount: "12.50" } }],
    });
    expect(await api.change(receive("12.50", "check 1", ', note: "by post"'), selection, "check-1")).toEqual(
      first,
    );
    expect(await api.refusal(receive("13.50", "check 1"), "check-1")).toBe("idempotency-key-reused");
    expect(await api.refusal(receive("13.50", "check 1"))).toBe("payment-recorded");
    const second = await api.change(receive("10", "check 2", `, invoices: ["${invoice}"]`), selection);
    expect(second).toMatchObject({
      toBalance: { amount: "2.50" },
      allocations: [{ amount: { amount: "7.50" } }],
    });
    const { ledgerAccounts } = await api.ask<{ ledgerAccounts: Nodes<{ balance: Money }> }>(
      `{ ledgerAccounts(prefix: "customer_balance:${id}") { nodes { balance ${money} } } }`,
    );
    expect(ledgerAccounts.nodes).toEqual([{ balance: { amount: "2.50", currency: "USD" } }]);
    const { payments, payment } = await api.ask<{ payments: Nodes<object>; payment: object }>(
      `{ payments(customer: "checks") { nodes { sourceId } } payment(id: "${first.id}") { customer { key } } }`,
    );
    expect(payments.nodes).toEqual([{ sourceId: "check 1" }, { sourceId: "check 2" }]);
    expect(payment).toEqual({ customer: { key: "checks" } });
  });

  test("is refused: no currency, decimals that it has not, another's invoice, what is empty or to come", async () => {
    const receive = (amount: string, currency: string, more = "") =>
      api.answer(
        `receivePayment(customer: "checks", amount: "${amount}", reference: "r"${currency}${more})`,
        "{ id }",
      );
    expect(await receive("1.00", "")).toMatchObject({
      code: "invalid-amount",
      details: { errors: [{ field: "currency" }] },
    });
    expect(await receive("1.00", ', currency: "XXQ"')).toMatchObject({
      details: { errors: [{ field: "currency" }] },
    });
    expect(await receive("1.5", ', currency: "JPY"')).toMatchObject({
      details: { errors: [{ field: "amount" }] },
    });
    expect(await receive("1.2345", ', currency: "KWD"')).toMatchObject({
      details: { errors: [{ field: "amount" }] },
    });
    const usd = ', currency: "USD"';
    expect(await receive("1.00", usd, ', note: ""')).toMatchObject({ code: "invalid-payment" });
    expect(await receive("1.00", usd, ', receivedAt: "2099-01-01T00:00:00Z"')).toMatchObject({
      code: "posting-in-future",
    });
    expect(await receive("1.00", usd, `, invoices: ["${others.invoice}"]`)).toMatchObject({
      code: "invoice-not-found",
    });
    const { invoice } = await billed("somebody");
    expect(await receive("1.00", usd, `, invoices: ["${invoice}"]`)).toMatchObject({ code: "not-the-payer" });
    expect(
      await api.refusal(
        `receivePayment(customer: "${others.customer}", amount: "1.00", currency: "USD", reference: "r")`,
      ),
    ).toBe("customer-not-found");
    expect(
      await api.change(
        `receivePayment(customer: "in-kwd", amount: "0.005", reference: "three decimals")`,
        `{ amount ${money} }`,
      ),
    ).toEqual({ amount: { amount: "0.005", currency: "KWD" } });
  });

  test("what is never paid is written off, once", async () => {
    const { invoice } = await billed("given-up");
    const off = `writeOffInvoice(invoice: "${invoice}", reason: "bankrupt")`;
    const selection = `{ state writtenOff ${money} open ${money} }`;
    const done = await api.change(off, selection, "off-1");
    expect(done).toMatchObject({
      state: "uncollectible",
      writtenOff: { amount: "20.00" },
      open: { amount: "0.00" },
    });
    expect(await api.change(off, selection, "off-1")).toEqual(done);
    expect(await api.refusal(off)).toBe("nothing-owed");
    expect(await api.refusal(`writeOffInvoice(invoice: "${others.invoice}", reason: "r")`)).toBe(
      "invoice-not-found",
    );
    expect(await api.refusal(`writeOffInvoice(invoice: "${invoice}", reason: "")`)).toBe("invalid-write-off");
  });

  test("receivables are listed by customer, state and what is overdue", async () => {
    await paying.customer("terms");
    await api.change('updateCustomer(customer: "terms", paymentTermsDays: 20)', "{ id }");
    await advance();
    const listed = async (filter: string) =>
      (
        await api.ask<{ receivables: Nodes<{ state: string; overdue: boolean; customer: { key: string } }> }>(
          `{ receivables(${filter}, first: 200) { nodes { state overdue customer { key } invoice { number } open ${money} dunning { state retries } } } }`,
        )
      ).receivables.nodes;
    expect(await listed('customer: "terms"')).toMatchObject([{ state: "open", overdue: false }]);
    expect(await listed('customer: "terms", overdue: true')).toEqual([]);
    expect((await listed("overdue: true")).every(({ overdue, state }) => overdue && state === "open")).toBe(
      true,
    );
    expect((await listed("overdue: true")).length).toBeGreaterThan(0);
    expect((await listed("state: uncollectible")).map(({ customer }) => customer.key)).toEqual(["given-up"]);
    const pages: string[] = [];
    let after = "";
    for (;;) {
      const { receivables } = await api.ask<{
        receivables: Nodes<{ invoiceId: string }> & { pageInfo: { endCursor: string; hasNextPage: boolean } };
      }>(`{ receivables(first: 3${after}) { nodes { invoiceId } pageInfo { endCursor hasNextPage } } }`);
      pages.push(...receivables.nodes.map(({ invoiceId }) => invoiceId));
      if (!receivables.pageInfo.hasNextPage) break;
      after = `, after: "${receivables.pageInfo.endCursor}"`;
    }
    expect(new Set(pages).size).toBe(pages.length);
    expect(pages.length).toBe(
      (await listed("first: 200".slice(0, 0) + "state: open")).length +
        (await listed("state: paid")).length +
        (await listed("state: uncollectible")).length,
    );
  });
});

describe("refunds", () => {
  const refund = (payment: string, source: string, more = "") =>
    `createRefund(payment: "${payment}", source: ${source}, reason: "asked for"${more})`;
  const selection = `{ id state source amount ${money} payment { id } invoice { id } creditNote { number } providerRef failure postings { reason } }`;

  test("give back a part, then the rest, never more than came in", async () => {
    const { payment, invoice } = await billed("regretting", good);
    const part = refund(payment!, "goodwill", ', amount: "5.00"');
    const made = await api.change<{ id: string }>(part, selection, "refund-1");
    expect(made).toMatchObject({
      source: "goodwill",
      amount: { amount: "5.00" },
      payment: { id: payment },
      invoice: null,
    });
    expect(await api.change<{ id: string }>(part, selection, "refund-1")).toMatchObject({ id: made.id });
    expect(await api.refusal(part.replace("5.00", "6.00"), "refund-1")).toBe("idempotency-key-reused");
    await eventually(
      async () =>
        (
          await api.ask<{ refund: { state: string; providerRef: string } }>(
            `{ refund(id: "${made.id}") ${selection} }`,
          )
        ).refund,
      ({ state, providerRef }) => state === "succeeded" && providerRef.startsWith("re_"),
    );
    for (const amount of ["15.01", "20.00"])
      expect(await api.refusal(refund(payment!, "goodwill", `, amount: "${amount}"`))).toBe(
        "refund-above-captured",
      );
    for (const amount of ["0", "-1", "1.001"])
      expect(await api.refusal(refund(payment!, "goodwill", `, amount: "${amount}"`))).toBe("invalid-amount");
    expect(await api.refusal(refund(payment!, "balance", ', amount: "1.00"'))).toBe("refund-above-balance");
    expect(await api.refusal(refund(payment!, "goodwill").replace("asked for", ""))).toBe("invalid-refund");
    expect(await api.refusal(refund(others.payment, "goodwill"))).toBe("payment-not-found");
    const rest = await api.change(refund(payment!, "invoice"), selection);
    expect(rest).toMatchObject({ amount: { amount: "15.00" }, invoice: { id: invoice } });
    expect(await receivableOf(invoice)).toMatchObject({ state: "open", open: { amount: "15.00" } });
    expect(await api.refusal(refund(payment!, "goodwill"))).toBe("refund-above-captured");
    const { refunds, payment: paid } = await api.ask<{
      refunds: Nodes<object>;
      payment: { refunds: object[] };
    }>(
      `{ refunds(payment: "${payment}") { nodes { amount ${money} } } payment(id: "${payment}") { refunds { postings { reason transfers { debit credit } } } } }`,
    );
    expect(refunds.nodes).toHaveLength(2);
    expect(paid.refunds).toMatchObject([
      { postings: expect.arrayContaining([expect.objectContaining({ reason: "refund.make" })]) as unknown },
      {},
    ]);
  });

  test("pay out a credit note from the balance; and are counted in the payment's currency", async () => {
    const { payment, invoice } = await billed("credited", good);
    const note = await api.change<{ id: string; number: string }>(
      `issueCreditNote(invoice: "${invoice}", reason: "outage")`,
      "{ id number postings { reason } }",
    );
    const made = await api.change(refund(payment!, "balance", `, creditNote: "${note.number}"`), selection);
    expect(made).toMatchObject({ amount: { amount: "20.00" }, creditNote: { number: note.number } });
    const yen = await api.ask<{ payments: Nodes<{ id: string }> }>(
      '{ payments(customer: "in-jpy") { nodes { id } } }',
    );
    const id = yen.payments.nodes[0]!.id;
    expect(await api.answer(refund(id, "goodwill", ', amount: "10.5"'), "{ id }")).toMatchObject({
      code: "invalid-amount",
      message: expect.stringContaining("JPY has no decimals") as string,
    });
    expect(await api.change(refund(id, "goodwill", ', amount: "10"'), selection)).toMatchObject({
      amount: { amount: "10", currency: "JPY" },
    });
    expect(await api.refusal(refund(id, "balance", ', creditNote: "CN-999999"'))).toBe(
      "credit-note-not-found",
    );
  });

  test("of money that came in elsewhere are made at once, and go back elsewhere", async () => {
    const { payments } = await api.ask<{ payments: Nodes<{ id: string }> }>(
      '{ payments(customer: "checks") { nodes { id } } }',
    );
    const made = await api.change(refund(payments.nodes[0]!.id, "goodwill", ', amount: "1.00"'), selection);
    expect(made).toMatchObject({ state: "succeeded", providerRef: null });
    const { refunds } = await api.ask<{ refunds: Nodes<{ state: string }> }>(
      "{ refunds(state: succeeded) { nodes { state } } }",
    );
    expect(refunds.nodes.length).toBeGreaterThan(0);
    expect(refunds.nodes.every(({ state }) => state === "succeeded")).toBe(true);
  });
});

describe("disputes", () => {
  const selection = `{ id state reason amount ${money} held ${money} fee ${money} evidence { field text } evidenceDueAt submittedAt closedAt account { key } payment { id } postings { reason } }`;
  interface Dispute {
    readonly id: string;
    readonly state: string;
    readonly submittedAt: string | null;
  }

  async function disputed(name: string): Promise<Dispute> {
    const { payment } = await billed(name, "4000000000000259");
    return eventually(
      async () =>
        (
          await api.ask<{ disputes: Nodes<Dispute> }>(
            `{ disputes(payment: "${payment}") { nodes ${selection} } }`,
          )
        ).disputes.nodes[0]!,
      (dispute) => dispute !== undefined,
    );
  }

  test("take evidence, which is kept until it is submitted, and are won by it", async () => {
    const dispute = await disputed("doubting");
    expect(dispute).toMatchObject({
      state: "needs_response",
      amount: { amount: "20.00" },
      account: { key: "stripe" },
    });
    const evidence = (text: string, more = "") =>
      `submitDisputeEvidence(dispute: "${dispute.id}", evidence: [{ field: "uncategorized_text", text: "${text}" }]${more})`;
    const kept = await api.change<Dispute>(evidence("it was delivered"), selection);
    expect(kept).toMatchObject({
      state: "needs_response",
      submittedAt: null,
      evidence: [{ field: "uncategorized_text", text: "it was delivered" }],
    });
    const sent = await api.change<Dispute>(
      evidence("winning_evidence", ", submit: true"),
      selection,
      "evidence-1",
    );
    expect(sent.submittedAt).not.toBeNull();
    const won = await eventually(
      async () =>
        (await api.ask<{ dispute: Dispute }>(`{ dispute(id: "${dispute.id}") ${selection} }`)).dispute,
      ({ state }) => state === "won",
    );
    expect(won).toMatchObject({ closedAt: expect.any(String) as string });
    // The same request again is answered, although the dispute is decided by now.
    expect(
      await api.change<Dispute>(evidence("winning_evidence", ", submit: true"), selection, "evidence-1"),
    ).toEqual(won);
    expect(await api.refusal(evidence("more"))).toBe("dispute-closed");
    expect(await api.refusal(evidence("more"), "evidence-1")).toBe("idempotency-key-reused");
    expect(await api.refusal(`acceptDispute(dispute: "${dispute.id}")`)).toBe("dispute-closed");
  });

  test("are accepted: the money is gone, and posted as such", async () => {
    const dispute = await disputed("conceding");
    for (const evidence of ["[]", '[{ field: "No Name", text: "x" }]'])
      expect(
        await api.refusal(`submitDisputeEvidence(dispute: "${dispute.id}", evidence: ${evidence})`),
      ).toBe("invalid-evidence");
    const twice = '[{ field: "receipt", text: "a" }, { field: "receipt", text: "b" }]';
    expect(await api.refusal(`submitDisputeEvidence(dispute: "${dispute.id}", evidence: ${twice})`)).toBe(
      "invalid-evidence",
    );
    const accept = `acceptDispute(dispute: "${dispute.id}")`;
    const lost = await api.change<Dispute>(accept, selection, "accept-1");
    expect(lost).toMatchObject({ state: "lost", postings: [{}, {}, {}] });
    expect(await api.change<Dispute>(accept, selection, "accept-1")).toEqual(lost);
    const { disputes } = await api.ask<{ disputes: Nodes<{ state: string }> }>(
      "{ disputes(state: lost) { nodes { state } } }",
    );
    expect(disputes.nodes).toEqual([{ state: "lost" }]);
    expect(await api.refusal('acceptDispute(dispute: "dsp_unknown")')).toBe("dispute-not-found");
  });
});

test("payouts are told with what they posted", async () => {
  const payout = paying.stripe.simulator.payOut("usd");
  expect(payout).toBeDefined();
  const selection = `{ id providerRef state amount ${money} account { key } arrivesOn receivedAt postings { reason transfers { debit credit amount ${money} } } }`;
  const [found] = await eventually(
    async () =>
      (
        await api.ask<{ payouts: Nodes<{ id: string; state: string; amount: Money }> }>(
          `{ payouts(account: "stripe") { nodes ${selection} } }`,
        )
      ).payouts.nodes,
    ([one]) => one?.state === "paid",
  );
  expect(found).toMatchObject({
    providerRef: payout,
    receivedAt: null,
    postings: [{ reason: "payout.send", transfers: [{ amount: found!.amount }] }],
  });
  const { payout: one, payouts } = await api.ask<{ payout: object; payouts: Nodes<object> }>(
    `{ payout(id: "${found!.id}") { id } payouts(state: failed) { nodes { id } } }`,
  );
  expect([one, payouts.nodes]).toEqual([{ id: found!.id }, []]);
  await expect(api.ask(`{ payouts(account: "${other.account}") { nodes { id } } }`)).rejects.toThrow(
    "provider-account-not-found",
  );
});

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
    const types: string[] = [];
    let after = "";
    for (;;) {
      const { providerEvents } = await api.ask<{
        providerEvents: Nodes<Event> & { pageInfo: { endCursor: string; hasNextPage: boolean } };
      }>(
        `{ providerEvents(account: "stripe", first: 40${after}) { nodes ${selection} pageInfo { endCursor hasNextPage } } }`,
      );
      types.push(...providerEvents.nodes.map(({ id, type }) => `${id} ${type}`));
      if (!providerEvents.pageInfo.hasNextPage) break;
      after = `, after: "${providerEvents.pageInfo.endCursor}"`;
    }
    expect(new Set(types).size).toBe(types.length);
    expect(types.some((type) => type.endsWith("payout.paid"))).toBe(true);
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
    const theirs = await askerOf(weir, other.key).ask<{ providerEvents: Nodes<Event> }>(
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
    simulator.faults.add({ effect: { kind: "webhook_drop" } } as never);
    await billed("unheard", good);
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
    await paying.customer("paused", good);
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

test("from why a line costs what it costs one comes to the attempts, payments, refunds, references and postings", async () => {
  const { invoice, payment } = await billed("explained", good);
  await api.change(
    `createRefund(payment: "${payment}", source: goodwill, reason: "sorry", amount: "1.00")`,
    "{ id }",
  );
  const { invoice: billedInvoice } = await api.ask<{ invoice: { lines: { id: string }[] } }>(
    `{ invoice(id: "${invoice}") { lines { id } } }`,
  );
  const { lineExplanation } = await api.ask<{ lineExplanation: { money: Money; invoice: object } }>(
    `{ lineExplanation(invoice: "${invoice}", line: "${billedInvoice.lines[0]!.id}") { money ${money} invoice {
      number receivable { state paid ${money} }
      postings { reason transfers { debit credit amount ${money} } }
      attempts { nodes { state providerRef run } }
      payments { nodes { providerRef amount ${money} settlement { providerRef fee ${money} } postings { reason }
        refunds { amount ${money} postings { reason } } disputes { id } } }
    } } }`,
  );
  expect(lineExplanation).toMatchObject({
    money: { amount: "20.00" },
    invoice: {
      receivable: { state: "paid", paid: { amount: "20.00" } },
      postings: [{ reason: "invoice.finalize" }],
      attempts: {
        nodes: [
          {
            state: "succeeded",
            providerRef: expect.stringMatching(/^pi_/) as string,
            run: `charge:${invoice}:1`,
          },
        ],
      },
      payments: {
        nodes: [
          {
            providerRef: expect.stringMatching(/^pi_/) as string,
            settlement: { providerRef: expect.stringMatching(/^txn_/) as string },
            postings: [{ reason: "payment.capture" }, { reason: "payment.settle" }],
            refunds: [
              {
                amount: { amount: "1.00" },
                postings: expect.arrayContaining([{ reason: "refund.make" }]) as unknown,
              },
            ],
            disputes: [],
          },
        ],
      },
    },
  });
});

test("a read key reads, and changes nothing", async () => {
  const { identity } = weir.weir.services;
  const { secret } = await identity.issueSystemKey(paying.caller.organization, {
    name: "reader",
    kind: "read",
  });
  const reader = askerOf(weir, secret, texts);
  const { payments } = await reader.ask<{ payments: Nodes<object> }>(
    "{ payments(first: 1) { nodes { id } } }",
  );
  expect(payments.nodes).toHaveLength(1);
  for (const field of [
    'payInvoice(invoice: "x")',
    'createRefund(payment: "x", source: goodwill, reason: "r")',
    'createCardUpdateLink(customer: "linked")',
    'createProviderAccount(key: "k", provider: "stripe")',
    'receivePayment(customer: "checks", amount: "1", currency: "USD", reference: "r")',
    "setDunningSchedule(hour: 1)",
  ])
    expect(await reader.refusal(field), field).toBe("wrong-key-kind");
});

test("every change is on record, and no secret is in it or in any other answer", async () => {
  interface Entry {
    readonly action: string;
    readonly actor: string;
    readonly target: string;
  }
  const entries: Entry[] = [];
  let after = "";
  for (;;) {
    const { auditLog } = await api.ask<{
      auditLog: Nodes<Entry> & { pageInfo: { endCursor: string; hasNextPage: boolean } };
    }>(
      `{ auditLog(first: 100${after}) { nodes { action actor target before after } pageInfo { endCursor hasNextPage } } }`,
    );
    entries.push(...auditLog.nodes);
    if (!auditLog.pageInfo.hasNextPage) break;
    after = `, after: "${auditLog.pageInfo.endCursor}"`;
  }
  for (const action of [
    "provider_account.create",
    "provider_account.update",
    "provider_account.archive",
    "payment_method.attach",
    "payment_method.set_default",
    "payment_method.detach",
    "payment_method.setup_page",
    "payment_method.create_update_link",
    "invoice.pay",
    "invoice.write_off",
    "payment_attempt.look_up",
    "payment_attempt.settle",
    "payment.receive",
    "refund.create",
    "dispute.submit_evidence",
    "dispute.accept",
    "provider_event.replay",
    "provider_event.backfill",
    "dunning.set_schedule",
    "collection.pause",
    "collection.resume",
  ])
    expect(
      entries.some((entry) => entry.action === action && entry.actor.startsWith("key_")),
      action,
    ).toBe(true);
  const ofAccounts = entries
    .filter(({ action }) => action === "provider_account.update")
    .map((entry) => JSON.stringify(entry));
  expect(ofAccounts.some((text) => text.includes("secretKey"))).toBe(true);
  texts.push(await (await weir.fetch("/v1/config", { key: paying.key })).text());
  const all = texts.join("\n");
  for (const secret of [
    stripeKey,
    webhookSecret,
    newSecret,
    "sk_test_second",
    "sk_live_real",
    "sk_test_typo_in_its_name",
    "sk_test_aaaa",
  ])
    expect(all.includes(secret), secret).toBe(false);
});
