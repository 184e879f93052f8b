import { expect, test } from "vitest";
import type { Caller } from "./caller.js";
import { KeyCache } from "./key-cache.js";

const caller = { organization: "org_1", key: "key_1", kind: "secret" } as Caller;

function makeCache(
  answers: Record<string, Caller | undefined>,
  limits: { keysMax?: number; unknownMax?: number; loadsMax?: number } = {},
) {
  const state = { nowMs: 0, loads: 0 };
  const cache = new KeyCache({
    load: (hash) => {
      state.loads += 1;
      return Promise.resolve(answers[hash]);
    },
    nowMs: () => state.nowMs,
    overloaded: () => new Error("overloaded"),
    ...limits,
  });
  return { cache, state, answers };
}

test("a key used within 10 s is answered synchronously, and looked up again after that", async () => {
  const { cache, state } = makeCache({ h: caller });
  expect(await cache.find("h")).toBe(caller);
  state.nowMs = 4_999;
  expect(cache.find("h")).toBe(caller);
  expect(state.loads).toBe(1);
  state.nowMs = 10_000;
  expect(cache.find("h")).toBeInstanceOf(Promise);
});

test("a key in steady use never waits: it is renewed in the background from 5 s on", async () => {
  const { cache, state } = makeCache({ h: caller });
  await cache.find("h");
  for (state.nowMs = 0; state.nowMs < 60_000; state.nowMs += 1000) {
    expect(cache.find("h")).toBe(caller);
    await Promise.resolve();
    await Promise.resolve();
  }
  expect(state.loads).toBeGreaterThan(9);
  expect(state.loads).toBeLessThan(14);
});

test("a revocation by another process is seen within 10 s", async () => {
  const { cache, state, answers } = makeCache({ h: caller });
  await cache.find("h");
  answers["h"] = undefined;
  state.nowMs = 9_999;
  expect(cache.find("h")).toBe(caller);
  await Promise.resolve();
  await Promise.resolve();
  expect(await cache.find("h")).toBeUndefined();
});

test("a revocation here is seen at once, also by a look-up that was on its way", async () => {
  let answer: (found: Caller) => void = () => {};
  const cache = new KeyCache({
    load: () => new Promise((resolve) => (answer = resolve)),
    nowMs: () => 0,
    overloaded: () => new Error("overloaded"),
  });
  const early = cache.find("h");
  cache.forget(caller.key);
  answer(caller);
  await early;
  expect(cache.find("h")).toBeInstanceOf(Promise);
});

test("an unknown key is remembered for 2 s, so that hammering costs one look-up", async () => {
  const { cache, state } = makeCache({});
  expect(await cache.find("h")).toBeUndefined();
  for (let index = 0; index < 1000; index += 1) expect(cache.find("h")).toBeUndefined();
  expect(state.loads).toBe(1);
  state.nowMs = 2_000;
  expect(cache.find("h")).toBeInstanceOf(Promise);
});

test("unknown keys do not push known ones out, and both are bounded", async () => {
  const { cache, state } = makeCache({ h: caller }, { keysMax: 10, unknownMax: 10 });
  await cache.find("h");
  for (let index = 0; index < 1000; index += 1) await cache.find(`unknown ${index}`);
  expect(cache.find("h")).toBe(caller);
  const loads = state.loads;
  await cache.find("unknown 0");
  expect(state.loads).toBe(loads + 1);
});

test("one look-up serves all who wait for it, and too many at once are refused", async () => {
  const { cache, state } = makeCache({ h: caller }, { loadsMax: 2 });
  const found = await Promise.all([cache.find("h"), cache.find("h"), cache.find("h")]);
  expect(found).toEqual([caller, caller, caller]);
  expect(state.loads).toBe(1);
  const waiting = [cache.find("a"), cache.find("b")];
  expect(() => cache.find("c")).toThrow("overloaded");
  expect(cache.find("h")).toBe(caller);
  for (const lookUp of waiting) await lookUp;
  expect(await cache.find("c")).toBeUndefined();
});

test("a store that is away is not taken for an unknown key", async () => {
  let fails = true;
  const cache = new KeyCache({
    load: () => (fails ? Promise.reject(new Error("away")) : Promise.resolve(caller)),
    nowMs: () => 0,
    overloaded: () => new Error("overloaded"),
  });
  await expect(cache.find("h")).rejects.toThrow("away");
  fails = false;
  expect(await cache.find("h")).toBe(caller);
});
