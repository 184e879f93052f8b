import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OrganizationId } from "../../kernel/ids.js";
import { day, hour, minute, parseInstant, second, type Instant } from "../../kernel/instant.js";
import { decideAttempt, give_up_after, pauseAfter, type AttemptOutcome } from "./attempt-outcome.js";
import { messageIdOf } from "./message-id.js";
import { SendingRate } from "./sending-rate.js";

const now = parseInstant("2026-06-01T00:00:00Z")!;
const mail = { attempts: 1, queuedAt: now };
const later = (time: number) => (now + time) as Instant;

describe("an attempt", () => {
  test("that is accepted is the end, and so is a 5xx", () => {
    expect(decideAttempt(mail, { kind: "accepted", reply: "250 ok" }, now, 0)).toEqual({
      state: "sent",
      reply: "250 ok",
    });
    expect(decideAttempt(mail, { kind: "rejected", reply: "550 no such user" }, now, 0)).toMatchObject({
      state: "failed",
      reply: "550 no such user",
    });
  });

  test.each<AttemptOutcome>([
    { kind: "deferred", reply: "451 later" },
    { kind: "unreachable", error: "ECONNREFUSED" },
    { kind: "unknown", error: "closed" },
  ])("that is $kind is tried again for 3 days", (outcome) => {
    expect(decideAttempt(mail, outcome, now, 0)).toMatchObject({ state: "queued", dueAt: later(5 * second) });
    expect(decideAttempt(mail, outcome, later(give_up_after - 1), 0).state).toBe("queued");
    expect(decideAttempt(mail, outcome, later(give_up_after), 0)).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("Given up after 3 days"),
    });
  });

  test("waits twice as long each time, at most 4 hours, shortened by chance by up to a half", () => {
    const wait = (attempts: number, random: number) => {
      const decision = decideAttempt({ ...mail, attempts }, { kind: "deferred", reply: "451" }, now, random);
      return decision.state === "queued" ? decision.dueAt - now : undefined;
    };
    expect([1, 2, 3, 4].map((attempts) => wait(attempts, 0))).toEqual(
      [5, 10, 20, 40].map((each) => each * second),
    );
    expect(wait(1_000, 0)).toBe(4 * hour);
    fc.assert(
      fc.property(
        fc.nat(2_000),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempts, random) => {
          const whole = wait(attempts + 1, 0)!;
          const shortened = wait(attempts + 1, random)!;
          expect(shortened).toBeLessThanOrEqual(whole);
          expect(shortened).toBeGreaterThanOrEqual(whole / 2);
        },
      ),
    );
  });

  test("of 3 days there are some thirty", () => {
    let at = now;
    let attempts = 0;
    for (;;) {
      attempts += 1;
      const decision = decideAttempt({ attempts, queuedAt: now }, { kind: "deferred", reply: "" }, at, 0);
      if (decision.state !== "queued") break;
      at = decision.dueAt;
    }
    expect(attempts).toBeGreaterThan(20);
    expect(attempts).toBeLessThan(40);
    expect(at - now).toBeLessThan(4 * day);
  });

  test("after a server that is not there nothing is tried for a while, longer each time, up to 5 minutes", () => {
    expect([1, 2, 3, 100].map(pauseAfter)).toEqual([5 * second, 10 * second, 20 * second, 5 * minute]);
  });
});

describe("a Message-ID", () => {
  const identity = {
    organization: "org_1",
    kind: "invoice",
    key: "inv_1",
    recipient: "ap@acme.example",
    sending: 1,
  };

  test("is the same for the same sending, and names nobody", () => {
    const id = messageIdOf(identity, "billing@nimbus.example");
    expect(id).toBe(messageIdOf({ ...identity }, "billing@nimbus.example"));
    expect(id).toMatch(/^<[0-9a-f]{40}@nimbus\.example>$/);
  });

  test("is another for another organization, kind, subject, recipient or sending", () => {
    const others = [
      { organization: "org_2" },
      { kind: "receipt" },
      { key: "inv_2" },
      { recipient: "b@acme.example" },
      { sending: 2 },
    ].map((more) => messageIdOf({ ...identity, ...more }, "billing@nimbus.example"));
    expect(new Set([messageIdOf(identity, "billing@nimbus.example"), ...others]).size).toBe(6);
  });
});

describe("the sending rate", () => {
  const nimbus = "org_1" as OrganizationId;

  test("lets 20 mails go at once, then so many a minute", () => {
    const rate = new SendingRate(60);
    const waits = Array.from({ length: 23 }, () => rate.take(nimbus, now));
    expect(waits.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 0));
    expect(waits.slice(20)).toEqual([second, 2 * second, 3 * second]);
    expect(rate.take("org_2" as OrganizationId, now)).toBe(0);
    expect(rate.take(nimbus, later(minute))).toBe(0);
  });

  test("never lets more than the burst and the rate through", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 600 }),
        fc.array(fc.nat(2 * second), { minLength: 1, maxLength: 100 }),
        (perMinute, gaps) => {
          const rate = new SendingRate(perMinute);
          let at: Instant = now;
          const sent = gaps.map((gap) => {
            at = (at + gap) as Instant;
            return at + rate.take(nimbus, at);
          });
          const first = sent[0]!;
          for (const [index, when] of sent.entries())
            expect(index).toBeLessThanOrEqual(20 + ((when - first) * perMinute) / minute + 0.01);
        },
      ),
    );
  });
});
