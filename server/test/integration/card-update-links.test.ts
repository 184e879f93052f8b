import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { goodCard, startPaymentsApi, type Nodes, type PaymentsApi } from "../support/payments-api.js";

let started: PaymentsApi;
let weir: PaymentsApi["weir"];
let paying: PaymentsApi["paying"];
let other: PaymentsApi["other"];
let others: PaymentsApi["others"];
let api: PaymentsApi["api"];
let otherApi: PaymentsApi["otherApi"];
let advance: PaymentsApi["advance"];

beforeAll(async () => {
  started = await startPaymentsApi("card-update-links");
  ({ weir, paying, other, others, api, otherApi, advance } = started);
});
afterAll(() => started?.close());

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
    const theirs = await otherApi.change<{ url: string }>(
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
    // Two to choose from, and nothing that says which.
    await paying.customer("choosing");
    expect(await api.answer('createCardUpdateLink(customer: "choosing")', "{ url }")).toMatchObject({
      code: "provider-account-unclear",
      message: "Name the provider account: stripe, brief.",
    });
    const { url: brief } = await linkFor("linked", ', account: "brief"');
    await api.change('archiveProviderAccount(account: "brief")', "{ id }");
    expect((await open(brief)).status).toBe(410);
    expect(await api.refusal('createCardUpdateLink(customer: "linked", account: "brief")')).toBe(
      "provider-account-archived",
    );
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

function enterCard(url: string, number = goodCard): Promise<Response> {
  return fetch(url, {
    method: "POST",
    redirect: "manual",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ number, expiry: "12/40", cvc: "123" }).toString(),
  });
}

test("every link is on record, without the link", async () => {
  await started.expectRecorded("payment_method.create_update_link");
  const { auditLog } = await api.ask<{ auditLog: Nodes<object> }>(
    '{ auditLog(action: "payment_method.create_update_link") { nodes { after } } }',
  );
  expect(auditLog.nodes.length).toBeGreaterThan(0);
  expect(JSON.stringify(auditLog.nodes)).not.toContain("/pay/");
});
