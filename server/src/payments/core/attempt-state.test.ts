import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Instant } from "../../kernel/instant.js";
import {
  attempt_states,
  isOpen,
  onAttemptInput,
  type AttemptInput,
  type AttemptState,
  type AttemptStatus,
} from "./attempt-state.js";

const now = 1_000_000 as Instant;
const decline = { code: "generic_decline", hardness: "soft", message: "no" } as const;
const inputs: readonly AttemptInput[] = [
  { kind: "created", ref: "pi_1" },
  { kind: "processing", ref: "pi_1" },
  { kind: "requires_action", ref: "pi_1", url: "https://bank.example" },
  { kind: "succeeded", ref: "pi_1" },
  { kind: "declined", ref: "pi_1", decline },
  { kind: "canceled", ref: "pi_1" },
  { kind: "refused", decline },
  { kind: "unanswered", error: "no reply" },
  { kind: "not_found" },
];
const statusOf = (state: AttemptState, ref: string | undefined): AttemptStatus => ({
  state,
  ref,
  decline: state === "failed" ? decline : undefined,
  actionUrl: undefined,
  unknownSince: state === "unknown" ? now : undefined,
});
const after = (state: AttemptState, kind: AttemptInput["kind"]) => {
  const transition = onAttemptInput(statusOf(state, "pi_1"), inputs.find((one) => one.kind === kind)!, now);
  return transition.kind === "accepted" ? transition.next.state : transition.kind;
};

describe("an attempt", () => {
  test.each<[AttemptState, AttemptInput["kind"], string]>([
    ["pending", "succeeded", "succeeded"],
    ["pending", "unanswered", "unknown"],
    ["pending", "refused", "failed"],
    ["pending", "not_found", "ignored"],
    ["unknown", "created", "pending"],
    ["unknown", "not_found", "ignored"],
    ["unknown", "refused", "ignored"],
    ["processing", "refused", "unknown"],
    ["processing", "created", "stale"],
    ["requires_action", "declined", "failed"],
    ["succeeded", "declined", "stale"],
    ["succeeded", "canceled", "stale"],
    ["failed", "succeeded", "succeeded"],
    ["failed", "processing", "stale"],
    ["canceled", "succeeded", "succeeded"],
  ])("%s, %s: %s", (state, kind, expected) => {
    expect(after(state, kind)).toBe(expected);
  });

  test("one that the provider never told its id of, and does not have, has failed", () => {
    const transition = onAttemptInput(statusOf("unknown", undefined), { kind: "not_found" }, now);
    expect(transition).toMatchObject({
      kind: "accepted",
      next: { state: "failed", decline: { code: "not_sent" } },
    });
  });

  test("no reply is never a failure, in any state", () => {
    for (const state of attempt_states) expect(["unknown", "ignored"]).toContain(after(state, "unanswered"));
  });

  test("money that was taken is a fact, whatever was known; one that had ended without is reported", () => {
    for (const state of attempt_states.filter((one) => one !== "succeeded")) {
      const transition = onAttemptInput(statusOf(state, "pi_1"), { kind: "succeeded", ref: "pi_1" }, now);
      expect(transition).toMatchObject({ kind: "accepted", next: { state: "succeeded" } });
      if (transition.kind === "accepted")
        expect(transition.effects).toEqual(isOpen(state) ? ["capture"] : ["capture", "report_late_capture"]);
    }
  });

  test("another charge's id contradicts, and changes nothing", () => {
    for (const state of attempt_states)
      expect(onAttemptInput(statusOf(state, "pi_1"), { kind: "succeeded", ref: "pi_2" }, now)).toMatchObject({
        kind: "contradicts",
      });
  });

  test("the same input again changes nothing; captured once in any history, and never open again", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...inputs), { maxLength: 30 }), (history) => {
        let status = statusOf("pending", undefined);
        let captures = 0;
        let hasEnded = false;
        for (const input of history) {
          const transition = onAttemptInput(status, input, now);
          if (transition.kind !== "accepted") continue;
          captures += transition.effects.filter((effect) => effect === "capture").length;
          status = transition.next;
          expect(onAttemptInput(status, input, now).kind).not.toBe("accepted");
          if (hasEnded) expect(status.state).toBe("succeeded");
          hasEnded ||= !isOpen(status.state);
        }
        expect(captures).toBe(history.some(({ kind }) => kind === "succeeded") ? 1 : 0);
      }),
    );
  });
});
