import { describe, expect, test } from "vitest";
import { success, weirOf } from "../test/support/answering-graphql.js";

describe("the test clock", () => {
  const clock = (now: string, state: string) => ({ now, state, target: "2027-02-01T00:00:00Z" });

  test("is absent in live mode, and started", async () => {
    const { weir, operations } = await weirOf(
      { testClock: null },
      success(clock("2027-01-01T00:00:00Z", "idle")),
    );
    expect(await weir.clock.show()).toBeNull();
    expect((await weir.clock.start("2027-01-01T00:00:00Z")).state).toBe("idle");
    expect(operations()).toHaveLength(2);
  });

  test("is advanced until it stands again, and says how far it is", async () => {
    const { weir, operations } = await weirOf(
      success(clock("2027-01-10T00:00:00Z", "advancing")),
      success(clock("2027-01-20T00:00:00Z", "advancing")),
      success(clock("2027-02-01T00:00:00Z", "idle")),
    );
    const seen: string[] = [];
    const reached = await weir.clock.advance("2027-02-01T00:00:00Z", ({ now }) => seen.push(now));
    expect(reached).toMatchObject({ now: "2027-02-01T00:00:00Z", state: "idle" });
    expect(seen).toEqual(["2027-01-10T00:00:00Z", "2027-01-20T00:00:00Z"]);
    expect(operations().map(({ variables }) => variables)).toEqual(
      Array(3).fill({ to: "2027-02-01T00:00:00Z" }),
    );
  });

  test("that stops at a failed run gives back where and why", async () => {
    const stopped = {
      ...clock("2027-01-10T00:00:00Z", "stopped"),
      stoppedBy: "invoice-run:1",
      reason: "failed",
    };
    const { weir, asked } = await weirOf(success(stopped));
    expect(await weir.clock.advance("2027-02-01T00:00:00Z")).toEqual(stopped);
    expect(asked).toHaveLength(1);
  });
});
