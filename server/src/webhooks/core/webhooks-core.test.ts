import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { parseInstant, second, type Instant } from "../../kernel/instant.js";
import { event_types, isPattern, patternsFor, wants } from "./event-type.js";
import { formatSecret, signatureHeader } from "./signature.js";
import { fullBucket, refilled, taken, untilNext } from "./token-bucket.js";

describe("event types", () => {
  test("each is a thing and what became of it, and can be chosen by itself, by its thing, or with all", () => {
    for (const type of Object.keys(event_types)) {
      expect(type).toMatch(/^[a-z_]+\.[a-z_]+$/);
      for (const pattern of patternsFor(type)) {
        expect(isPattern(pattern)).toBe(true);
        expect(wants([pattern], type)).toBe(true);
      }
    }
  });

  test.each([
    "invoice",
    "invoice.",
    ".finalized",
    "invoice.fin*",
    "*.finalized",
    "**",
    "unknown.*",
    "invoice.unknown",
    "webhook.test",
    "",
  ])('"%s" is none to choose', (pattern) => expect(isPattern(pattern)).toBe(false));

  test("what was not chosen is not wanted", () => {
    expect(wants(["invoice.voided", "credit_note.*"], "invoice.finalized")).toBe(false);
    expect(wants(["invoice.*"], "credit_note.issued")).toBe(false);
  });
});

describe("a signature", () => {
  // The example of the specification of Standard Webhooks.
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const bytes = Buffer.from(secret.slice(6), "base64");

  test("is the specification's for its example", () => {
    const body = Buffer.from('{"test": 2432232314}');
    const header = signatureHeader([bytes], {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      timestamp_s: 1614265330,
      body,
    });
    expect(header).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  test("with two secrets, a receiver who knows either is content", () => {
    const other = Buffer.alloc(32, 7);
    const body = '{"a":"é"}';
    const timestamp_s = Math.floor(Date.now() / 1000);
    const header = signatureHeader([other, bytes], { id: "msg_1", timestamp_s, body: Buffer.from(body) });
    const headers = {
      "webhook-id": "msg_1",
      "webhook-timestamp": String(timestamp_s),
      "webhook-signature": header,
    };
    expect(new Webhook(secret).verify(body, headers)).toEqual({ a: "é" });
    expect(new Webhook(formatSecret(other)).verify(body, headers)).toEqual({ a: "é" });
    expect(() => new Webhook(formatSecret(Buffer.alloc(32, 8))).verify(body, headers)).toThrow(/signature/);
  });
});

describe("a rate", () => {
  const now = parseInstant("2026-03-01T12:00:00Z") as Instant;
  const later = (by: number) => (now + by) as Instant;

  test("one second's worth at once, then evenly", () => {
    const empty = taken(fullBucket(10, now), 10);
    expect(untilNext(empty, 10)).toBe(second / 10);
    expect(refilled(empty, 10, later(second / 10)).tokens).toBe(1);
    expect(refilled(empty, 10, later(second)).tokens).toBe(10);
    expect(refilled(empty, 10, later(3600 * second)).tokens).toBe(10);
  });

  test("a clock that goes back gives nothing", () => {
    expect(refilled(taken(fullBucket(10, now), 10), 10, later(-second)).tokens).toBe(0);
  });
});
