import { builder, requireSecretKey } from "../../graphql/builder.js";
import type { TestClockState } from "../index.js";

const ClockStateEnum = builder.enumType("TestClockState", {
  description: "stopped: an advance ended early, because of a run.",
  values: ["idle", "advancing", "stopped"] as const,
});

const TestClockType = builder.objectRef<TestClockState>("TestClock").implement({
  description: "The clock of an organization in test mode: it stands still until it is advanced.",
  fields: (t) => ({
    now: t.expose("now", { type: "Instant" }),
    state: t.field({ type: ClockStateEnum, resolve: (clock) => clock.state }),
    target: t.field({
      type: "Instant",
      nullable: true,
      description: "Of the advance under way, or the last.",
      resolve: (clock) => clock.target ?? null,
    }),
    startedAt: t.expose("startedAt", { type: "Instant", description: "In real time." }),
    stoppedBy: t.id({
      nullable: true,
      description: "The run because of which an advance stopped.",
      resolve: (clock) => clock.stoppedBy ?? null,
    }),
    reason: t.string({ nullable: true, resolve: (clock) => clock.reason ?? null }),
  }),
});

/** An answer comes at the latest then, with how far the clock is; asking again for the same target goes on waiting. */
const wait_ms = 5_000;

builder.queryFields((t) => ({
  testClock: t.field({
    type: TestClockType,
    nullable: true,
    description: "Null in live mode, where time is real.",
    resolve: async (_root, _args, { caller, services }) =>
      (await services.testClocks.find(caller.organization)) ?? null,
  }),
}));

builder.mutationFields((t) => ({
  startTestClock: t.field({
    type: TestClockType,
    description:
      "Puts the organization into test mode, for good, with a clock that stands at an instant. Before it has subscriptions.",
    errors: {},
    args: { at: t.arg({ type: "Instant", required: true }) },
    resolve: (_root, { at }, context) => {
      requireSecretKey(context);
      return context.services.testClocks.start(context.caller, at);
    },
  }),
  advanceTestClock: t.field({
    type: TestClockType,
    description:
      "Moves the test clock forward, by way of everything that falls due. Answers after 5 s at the latest, with how far it is; asked again for the same target, it joins the advance.",
    errors: {},
    args: { to: t.arg({ type: "Instant", required: true }) },
    resolve: (_root, { to }, context) => {
      requireSecretKey(context);
      return context.services.testClocks.advance(context.caller, to, wait_ms);
    },
  }),
}));
