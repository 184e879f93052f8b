import { expect, test } from "vitest";
import { all, page, success, weirOf } from "../test/support/answering-graphql.js";

test("runs are listed, shown, retried and canceled", async () => {
  const details = { run: { id: "r", state: "queued" } };
  const { weir, operations } = await weirOf(
    page([{ id: "r" }], null),
    { run: details },
    { run: null },
    success(details),
    success(details),
  );
  expect(await all(weir.runs.list({ state: "failed", kind: "invoice-run" }))).toEqual([{ id: "r" }]);
  expect(await weir.runs.find("r")).toEqual(details);
  expect(await weir.runs.find("s")).toBeNull();
  expect((await weir.runs.retry("r")).run.state).toBe("queued");
  expect(await weir.runs.cancel("r")).toEqual(details);
  expect(operations()[0]?.variables).toEqual({ state: "failed", kind: "invoice-run", after: null });
});
