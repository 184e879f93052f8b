import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  connectionTo,
  startStripeSimulator,
  type RunningStripeSimulator,
} from "../../../simulators/stripe/index.js";
import { customerWith, key, pay } from "./opened-simulator.js";

describe("the control endpoint", () => {
  let running: RunningStripeSimulator;
  let stripe: Stripe;
  beforeEach(async () => {
    running = await startStripeSimulator({ port: 0, settings: { delays: { webhook_ms: 0 } } });
    stripe = new Stripe(key, { ...connectionTo(running.url, key), maxNetworkRetries: 0 });
  });
  afterEach(() => running.stop());

  async function control(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${running.url}/_simulator${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    });
    return { status: response.status, body: await response.json() };
  }

  test("plans faults, tells how often they struck, and forgets them", async () => {
    const fault = { operation: "customers.create", nth: 1, effect: { kind: "rate_limit" } };
    expect(await control("POST", "/faults", fault)).toEqual({ status: 200, body: { id: "fault_1" } });
    await expect(stripe.customers.create({})).rejects.toMatchObject({ statusCode: 429 });
    await stripe.customers.create({});
    expect((await control("GET", "/faults")).body).toMatchObject({
      faults: [{ id: "fault_1", matches: 2, strikes: 1 }],
    });
    expect((await control("DELETE", "/faults/fault_1")).body).toEqual({ removed: true });
    expect((await control("POST", "/faults", { ...fault, effect: { kind: "nothing" } })).status).toBe(400);
    expect((await control("DELETE", "/faults")).body).toEqual({ faults: [] });
  });

  test("takes a card by its number, and plays owners and banks", async () => {
    const { id: customer } = await stripe.customers.create({});
    const card = { number: "4000000000005126", exp_month: 12, exp_year: 2040, cvc: "123", customer };
    const made = (await control("POST", "/payment_methods", card)).body as { payment_method: string };
    const params = { amount: 9_000, currency: "usd", confirm: true, off_session: true };
    const intent = await stripe.paymentIntents.create({ ...params, customer, ...made });
    const charge = intent.latest_charge as string;
    const refund = await stripe.refunds.create({ charge, amount: 1_000 });
    expect((await control("POST", `/refunds/${refund.id}/fail`, { reason: "unknown" })).status).toBe(200);
    expect((await stripe.refunds.retrieve(refund.id)).status).toBe("failed");
    const { dispute } = (await control("POST", "/disputes", { charge, isInquiry: true })).body as {
      dispute: string;
    };
    expect((await control("POST", `/disputes/${dispute}/escalate`)).status).toBe(200);
    expect((await control("POST", `/disputes/${dispute}/decide`, { outcome: "won" })).status).toBe(200);
    expect((await stripe.disputes.retrieve(dispute)).status).toBe("won");
    expect((await control("POST", `/disputes/${dispute}/decide`, { outcome: "won" })).status).toBe(400);

    const strict = await customerWith(stripe, "pm_card_authenticationRequired");
    const asked = await stripe.paymentIntents.create({
      ...params,
      ...strict,
      off_session: false,
      return_url: "https://weir.invalid",
    });
    expect(
      (await control("POST", `/payment_intents/${asked.id}/authenticate`, { outcome: "pass" })).status,
    ).toBe(200);
    const { intent: slow } = await pay(stripe, "pm_usBankAccount_processing");
    expect(
      (await control("POST", `/payment_intents/${slow.id}/finish`, { outcome: "succeeds" })).status,
    ).toBe(200);
    expect((await stripe.paymentIntents.retrieve(slow.id)).status).toBe("succeeded");

    await pay(stripe, "pm_card_bypassPending", { amount: 50_000 });
    const { payout } = (await control("POST", "/payouts", { currency: "usd", difference: 3 })).body as {
      payout: string;
    };
    expect((await control("POST", `/payouts/${payout}/fail`, { code: "no_account" })).status).toBe(200);
    expect((await stripe.payouts.retrieve(payout)).failure_code).toBe("no_account");
    expect((await control("POST", "/exchange_rates", { from: "EUR", to: "usd", rate: "1.1" })).body).toEqual({
      from: "eur",
      to: "usd",
      rate: "1.1",
    });
    expect((await control("POST", "/exchange_rates", { from: "eur", to: "usd", rate: "often" })).status).toBe(
      400,
    );
    expect((await control("GET", "/ledger")).body).toMatchObject({
      balances: [{ currency: "usd" }],
      charges: expect.arrayContaining([
        { charge, currency: "usd", captured: 9_000, refunded: 0, disputed: 0 },
      ]),
    });
  });

  test("sends webhooks over HTTP by itself, in real time", async () => {
    const received: { signature: string; body: string }[] = [];
    const { createServer } = await import("node:http");
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
      request.on("end", () => {
        received.push({ signature: String(request.headers["stripe-signature"]), body });
        response.end();
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}/hook`;
    const { webhook } = (await control("POST", "/webhooks", { url, secret: "whsec_2" })).body as {
      webhook: string;
    };
    await stripe.customers.create({ name: "Ada" });
    while (received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const [{ body, signature }] = received as [(typeof received)[0]];
    expect(stripe.webhooks.constructEvent(body, signature, "whsec_2").type).toBe("customer.created");
    expect((await control("DELETE", `/webhooks/${webhook}`)).status).toBe(200);
    server.close();
  });

  test("refuses what is not JSON by its type, what is not known, and bodies without end", async () => {
    const post = (path: string, headers: Record<string, string>, body: string): Promise<Response> =>
      fetch(`${running.url}${path}`, { method: "POST", headers, body });
    const fault = '{"effect":{"kind":"drop_after"}}';
    // A form or plain text is what a page of another site can send without asking.
    expect((await post("/_simulator/faults", { "content-type": "text/plain" }, fault)).status).toBe(400);
    expect((await post("/_simulator/faults", { "content-type": "application/json" }, "{")).status).toBe(400);
    expect(
      (await post("/_simulator/disputes", { "content-type": "application/json" }, '{"charge":"ch_1","x":1}'))
        .status,
    ).toBe(400);
    expect((await post("/_simulator/anything", { "content-type": "application/json" }, "{}")).status).toBe(
      404,
    );
    const large = "a=".padEnd(300 * 1024, "x");
    expect((await post("/v1/customers", { authorization: `Bearer ${key}` }, large)).status).toBe(413);
    const many = Array.from({ length: 1_001 }, (_, at) => `metadata[k${at}]=1`).join("&");
    expect((await post("/v1/customers", { authorization: `Bearer ${key}` }, many)).status).toBe(400);
    expect(
      (await post("/v1/customers", { authorization: `Bearer ${key}` }, "a[b][c][d][e][f][g]=1")).status,
    ).toBe(400);
    expect((await post("/v1/customers", { authorization: `Bearer ${key}` }, "name=%zz")).status).toBe(400);
  });
});

describe("the process", () => {
  const entry = fileURLToPath(new URL("../../../simulators/dist/stripe/main.js", import.meta.url));

  async function run(
    ...args: string[]
  ): Promise<{ code: number | null; output: string; signalled: boolean }> {
    const child = spawn(process.execPath, [entry, ...args]);
    let output = "";
    let signalled = false;
    const gather = (chunk: Buffer): void => {
      output += chunk.toString("utf8");
      if (signalled || !output.includes("nothing is kept")) return;
      signalled = true;
      child.kill("SIGTERM");
    };
    child.stdout.on("data", gather);
    child.stderr.on("data", gather);
    const [code] = (await once(child, "close")) as [number | null];
    return { code, output, signalled };
  }

  test("prints how it is used, and stops when it is told to", async () => {
    const { code, output, signalled } = await run("--port", "0", "--settle", "usd", "--rate", "eur/usd=1.1");
    expect([code, signalled]).toEqual([0, true]);
    expect(output).toMatch(/Stripe simulator on http:\/\/127\.0\.0\.1:\d+/);
    expect(output).toContain("new Stripe(");
  });

  test.each([
    [["--port", "x"], "--port"],
    [["--webhook", "http://127.0.0.1/hook"], "--secret"],
    [["--rate", "eur/usd=often"], "exchange rate"],
    [["--colour"], "--colour"],
  ])("refuses %j", async (args, message) => {
    const { code, output } = await run(...args);
    expect([code, output]).toEqual([2, expect.stringContaining(message)]);
  });
});
