import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  draw,
  expire,
  giveBack,
  reinstate,
  remainingOf,
  takeOff,
  withdraw,
  type GrantBalance,
} from "./index.js";

const fresh: GrantBalance = { amount: 1000n, used: 0n, voided: 0n, expired: 0n };

describe("a grant of 10.00", () => {
  test("of which 4.00 is drawn has 6.00 left", () => {
    const { balance, revived } = draw(fresh, 400n);
    expect([remainingOf(balance), revived]).toEqual([600n, 0n]);
  });
  test("cannot be drawn below zero, nor by nothing", () => {
    expect(() => draw(fresh, 1001n)).toThrow("of which 1000 remains");
    expect(() => draw(fresh, 0n)).toThrow(RangeError);
    expect(() => giveBack(fresh, 1n)).toThrow("of which 0 is used");
  });
  test("that expired is drawn by a late invoice from what was booked as expired", () => {
    const { balance: over } = expire(draw(fresh, 400n).balance);
    expect(over.expired).toBe(600n);
    const { balance, revived } = draw(over, 250n);
    expect([balance.used, balance.expired, revived, remainingOf(balance)]).toEqual([650n, 350n, 250n, 350n]);
  });
  test("gives back first what never expired: restored credit is drawn before expired credit", () => {
    const { balance: over } = expire(draw(fresh, 400n).balance);
    expect(draw(giveBack(over, 400n), 400n).revived).toBe(0n);
  });
  test("that is voided keeps what was used, and nothing is left", () => {
    const { balance, amount } = withdraw(draw(fresh, 400n).balance);
    expect([amount, balance.voided, remainingOf(balance)]).toEqual([600n, 600n, 0n]);
    expect(withdraw(balance).amount).toBe(0n);
  });
  test("of which 4.00 is drawn gives 6.00 back at most, in parts, and gets them again", () => {
    const used = draw(fresh, 400n).balance;
    const less = takeOff(takeOff(used, 500n), 100n);
    expect([less.voided, remainingOf(less)]).toEqual([600n, 0n]);
    expect(() => takeOff(less, 1n)).toThrow("of which 0 is left");
    expect(remainingOf(reinstate(less, 250n))).toBe(250n);
    expect(() => reinstate(less, 601n)).toThrow("of which 600 is voided");
    expect(() => takeOff(expire(used).balance, 1n)).toThrow("of which 0 is left");
  });
  test("expires once", () => {
    const once = expire(fresh);
    expect([once.amount, expire(once.balance).amount]).toEqual([1000n, 0n]);
  });
});

test("whatever happens to a grant, its parts never come to more than its amount, and every movement is accounted for", () => {
  const anyStep = fc.record({
    kind: fc.constantFrom("draw" as const, "restore" as const, "expire" as const, "void" as const),
    amount: fc.bigInt(1n, 400n),
  });
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
      let balance = fresh;
      const moved = { used: 0n, voided: 0n, expired: 0n };
      for (const { kind, amount } of steps) {
        if (kind === "draw" && amount <= remainingOf(balance)) {
          const done = draw(balance, amount);
          balance = done.balance;
          moved.used += amount;
          moved.expired -= done.revived;
        } else if (kind === "restore" && amount <= balance.used) {
          balance = giveBack(balance, amount);
          moved.used -= amount;
        } else if (kind === "expire" || kind === "void") {
          const done = (kind === "expire" ? expire : withdraw)(balance);
          balance = done.balance;
          moved[kind === "expire" ? "expired" : "voided"] += done.amount;
        }
        const { used, voided, expired } = balance;
        expect({ used, voided, expired }).toEqual(moved);
        expect(used >= 0n && voided >= 0n && expired >= 0n && used + voided + expired <= 1000n).toBe(true);
      }
    }),
  );
});
