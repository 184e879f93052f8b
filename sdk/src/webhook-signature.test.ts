import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { verifyWebhook, WebhookNotVerified, type SignedWebhook } from "./index.js";

const bytes = Buffer.alloc(32, 9);
const secret = `whsec_${bytes.toString("base64")}`;
const other = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;
const body = '{"type":"invoice.finalized","timestamp":"2026-03-01T00:00:00Z","data":{"name":"é"}}';
const at_s = 1_790_000_000;
const signatureBy = (key: Buffer, text = body, id = "msg_1", timestamp = at_s) =>
  `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${text}`).digest("base64")}`;
const headers = {
  "webhook-id": "msg_1",
  "webhook-timestamp": String(at_s),
  "webhook-signature": signatureBy(bytes),
};
const signed = (change: Partial<SignedWebhook> = {}): SignedWebhook => ({
  body,
  headers,
  secret,
  now_ms: at_s * 1000,
  ...change,
});

describe("a webhook", () => {
  test("is read once its signature is found good", async () => {
    expect(await verifyWebhook(signed())).toEqual({
      id: "msg_1",
      type: "invoice.finalized",
      timestamp: "2026-03-01T00:00:00Z",
      data: { name: "é" },
    });
  });

  test("the specification's own example", async () => {
    const event = await verifyWebhook({
      secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      body: '{"test": 2432232314}',
      headers: {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
      },
      now_ms: 1_614_265_330_000,
    });
    expect(event.id).toBe("msg_p5jXN8AQM9LWM0D4loKWxJek");
  });

  test("comes as bytes, with Headers, with headers in any case, or in lists", async () => {
    const lists = {
      "Webhook-Id": ["msg_1"],
      "WEBHOOK-TIMESTAMP": String(at_s),
      "webhook-signature": [signatureBy(bytes)],
    };
    await verifyWebhook(signed({ body: Buffer.from(body), headers: new Headers(headers) }));
    await verifyWebhook(signed({ headers: lists }));
  });

  test("while a secret is exchanged: several signatures, several secrets, other versions", async () => {
    const both = {
      ...headers,
      "webhook-signature": `v1a,xyz v2,AAAA ${signatureBy(Buffer.alloc(32, 8))} ${signatureBy(bytes)}`,
    };
    await verifyWebhook(signed({ headers: both }));
    await verifyWebhook(signed({ secret: [other, secret] }));
  });

  test.each<[string, Partial<SignedWebhook>, RegExp]>([
    ["with another body", { body: `${body} ` }, /no signature fits/],
    ["with another id", { headers: { ...headers, "webhook-id": "msg_2" } }, /no signature fits/],
    [
      "with another time",
      { headers: { ...headers, "webhook-timestamp": String(at_s + 1) } },
      /no signature fits/,
    ],
    ["by another secret", { secret: other }, /no signature fits/],
    [
      "of another version alone",
      { headers: { ...headers, "webhook-signature": signatureBy(bytes).replace("v1", "v2") } },
      /no signature fits/,
    ],
    [
      "with a signature that is no base64",
      { headers: { ...headers, "webhook-signature": "v1,***" } },
      /no signature fits/,
    ],
    ["that is old", { now_ms: (at_s + 301) * 1000 }, /301 s ago/],
    ["from the future", { now_ms: (at_s - 301) * 1000 }, /301 s ahead/],
    ["without an id", { headers: { ...headers, "webhook-id": undefined } }, /webhook-id is missing/],
    [
      "without a signature",
      { headers: { ...headers, "webhook-signature": "" } },
      /webhook-signature is missing/,
    ],
    [
      "with a time that is none",
      { headers: { ...headers, "webhook-timestamp": "yesterday" } },
      /no number of seconds/,
    ],
  ])("%s is not verified", async (_name, change, why) => {
    const refusal = await verifyWebhook(signed(change)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(WebhookNotVerified);
    expect(String(refusal)).toMatch(why);
  });

  test("the tolerance can be another", async () => {
    await verifyWebhook(signed({ now_ms: (at_s + 900) * 1000, tolerance_s: 1000 }));
  });

  test.each(["whsec_", "whsec_***", ""])("a secret that is none, %s, is told as such", async (none) => {
    await expect(verifyWebhook(signed({ secret: none }))).rejects.toThrow(RangeError);
  });

  test("without any secret nothing is verified", async () => {
    await expect(verifyWebhook(signed({ secret: [] }))).rejects.toThrow(RangeError);
  });
});
