import { expect, test } from "vitest";
import { makeProblem, Refusal, StoreUnavailable } from "./problem.js";

test("a refusal carries its problem document, and its slug names it", () => {
  const problem = makeProblem("too-old", 422, "Too old", "The event is 36 days old.", { index: 3 });
  expect(problem).toEqual({
    type: "https://weir.dev/problems/too-old",
    title: "Too old",
    status: 422,
    detail: "The event is 36 days old.",
    index: 3,
  });
  expect(new Refusal(problem).slug).toBe("too-old");
  expect(new Refusal(problem).message).toBe("Too old: The event is 36 days old.");
});

test("an outage says when to try again", () => {
  const outage = new StoreUnavailable("PostgreSQL is down", {
    retryAfterSeconds: 5,
    cause: new Error("ECONNREFUSED"),
  });
  expect([outage.retry, outage.retryAfterSeconds, outage.name]).toEqual([true, 5, "StoreUnavailable"]);
  expect(new StoreUnavailable("x").retryAfterSeconds).toBe(1);
});
