import { expect, test } from "vitest";
import type { ProviderAccountId } from "../kernel/ids.js";
import { ProviderBusy, ProviderRefusal, ProviderUnanswered } from "./provider-failure.js";
import { ProviderGate } from "./provider-gate.js";

const called = (id: string, isRemote = true) => ({
  account: { id: id as ProviderAccountId, settings: {}, secrets: {} },
  provider: { isRemote },
});
const account = called("pac_1");
const works = () => Promise.resolve("done");
const silent = () => Promise.reject(new ProviderUnanswered("no reply"));

test("a burst, then so many calls a second; who is too many is told after how long to come again", async () => {
  let now = 0;
  const gate = new ProviderGate({ now_ms: () => now, perSecond: 10 });
  for (let call = 0; call < 20; call += 1) expect(await gate.call(account, works)).toBe("done");
  await expect(gate.call(account, works)).rejects.toMatchObject({ name: "ProviderBusy", wait_ms: 100 });
  now += 100;
  expect(await gate.call(account, works)).toBe("done");
  expect(await gate.call(called("pac_2"), works)).toBe("done");
});

test("a provider's own limit is an account's, as it is by now", async () => {
  let now = 0;
  const gate = new ProviderGate({ now_ms: () => now, perSecond: 1_000 });
  const limited = (perSecond: number) => ({
    ...account,
    provider: { isRemote: true, callsPerSecond: () => perSecond },
  });
  for (let call = 0; call < 4; call += 1) expect(await gate.call(limited(2), works)).toBe("done");
  await expect(gate.call(limited(2), works)).rejects.toMatchObject({ wait_ms: 500 });
  expect(await gate.call(limited(5), works)).toBe("done");
  now += 10_000;
  for (let call = 0; call < 10; call += 1) expect(await gate.call(limited(5), works)).toBe("done");
  await expect(gate.call(limited(5), works)).rejects.toMatchObject({ wait_ms: 200 });
});

test("after ten calls without an answer nobody calls; then one at a time finds out, and an answer opens it", async () => {
  let now = 0;
  const gate = new ProviderGate({ now_ms: () => now });
  for (let call = 0; call < 10; call += 1)
    await expect(gate.call(account, silent)).rejects.toBeInstanceOf(ProviderUnanswered);
  let calls = 0;
  const counted = () => {
    calls += 1;
    return works();
  };
  await expect(gate.call(account, counted)).rejects.toBeInstanceOf(ProviderBusy);
  expect(calls).toBe(0);
  now += 15_000;
  await expect(gate.call(account, silent)).rejects.toBeInstanceOf(ProviderUnanswered);
  await expect(gate.call(account, counted)).rejects.toBeInstanceOf(ProviderBusy);
  now += 15_000;
  const [first, second] = await Promise.allSettled([
    gate.call(account, counted),
    gate.call(account, counted),
  ]);
  expect([first.status, second.status]).toEqual(["fulfilled", "rejected"]);
  expect(await gate.call(account, counted)).toBe("done");
});

test("a refusal is an answer", async () => {
  const gate = new ProviderGate({ now_ms: () => 0 });
  const refused = () => Promise.reject(new ProviderRefusal({ code: "no", hardness: "setup", message: "no" }));
  for (let call = 0; call < 20; call += 1)
    await expect(gate.call(account, refused)).rejects.toBeInstanceOf(ProviderRefusal);
  expect(await gate.call(account, works)).toBe("done");
});

test("what does not leave this machine is not counted", async () => {
  const gate = new ProviderGate({ now_ms: () => 0, perSecond: 1 });
  for (let call = 0; call < 20; call += 1)
    expect(await gate.call(called("pac_1", false), works)).toBe("done");
});
