import type { NewFault } from "../../simulators/stripe/index.js";
import { SeededRandom } from "../support/settlement/seeded-random.js";
import type { Happening, Plan, PlannedCustomer, PlanKey, Step } from "./plan.js";

/** When invoices come, in hours since the start: those in advance at once and after a month, those in arrears after a month. */
export const month_h = 31 * 24;
/** The last hour in which something is done or goes wrong. */
export const play_h = month_h + 14 * 24;
const silence_share = 25;

type Weighted<T> = readonly (readonly [weight: number, value: T])[];

const plans: Weighted<PlanKey> = [
  [55, "usd-arrears"],
  [10, "usd-advance"],
  [13, "eur-arrears"],
  [8, "jpy-arrears"],
  [6, "kwd-arrears"],
];

const fine = "4242424242424242";
const methods: Weighted<string | undefined> = [
  [44, fine],
  [18, undefined],
  [7, "4000000000009995"], // insufficient funds
  [4, "4000000000000002"], // declined
  [2, "4000000000000119"], // processing error
  [3, "4000000000009979"], // stolen: hard
  [4, "4000000000000259"], // disputed
  [3, "4000000000001976"], // an inquiry
  [4, "4000000000007726"], // refunds are pending
  [4, "4000000000005126"], // refunds fail
  [2, "4000002760003184"], // authentication
  [3, "pm_usBankAccount_success"],
  [1, "pm_usBankAccount_insufficientFunds"],
  [1, "pm_usBankAccount_processing"],
];

const operations: Weighted<string> = [
  [30, "payment_intents.confirm"],
  [22, "payment_intents.create"],
  [8, "payment_intents.retrieve"],
  [5, "payment_intents.list"],
  [5, "payment_intents.cancel"],
  [12, "refunds.create"],
  [5, "refunds.list"],
  [3, "refunds.retrieve"],
  [3, "disputes.update"],
  [3, "payment_methods.attach"],
  [4, "*"],
];

const lost: Weighted<NewFault["effect"]> = [
  [18, { kind: "hang_after" }],
  [14, { kind: "hang_before" }],
  [6, { kind: "drop_after" }],
  [4, { kind: "drop_before" }],
  [10, { kind: "error_after" }],
  [6, { kind: "error_before" }],
  [6, { kind: "error_before", isKept: true }],
  [6, { kind: "rate_limit" }],
];

/** What a seed decides. @param scale  how many customers, 20 of the issue */
export function planOf(seed: number, customers = 20): Plan {
  const random = new SeededRandom(seed * 7919 + 17);
  const chance = (percent: number) => random.below(100) < percent;
  const share = () => random.pick([0.25, 0.5, 1, 1]);
  const some = () => random.below(1000) / 1000;
  const settlesInDollars = chance(40);
  const people = Array.from({ length: customers }, (_, number): PlannedCustomer => {
    const method = pick(random, methods);
    // Bank accounts are American.
    const plan = method?.startsWith("pm_us") === true ? "usd-arrears" : pick(random, plans);
    return { number, plan, method };
  });
  const anyone = () => random.below(customers);
  const steps: Step[] = [];
  const add = (at_h: number, what: Happening) => steps.push({ number: steps.length + 1, at_h, what });
  /** A few instants at which several things happen at once. */
  const instants = Array.from({ length: 7 }, () => month_h + random.below(14 * 24)).sort(
    (one, other) => one - other,
  );
  const whenever = () => random.pick([...instants, month_h]);

  const faults = Math.ceil(customers * 0.45);
  for (let count = 0; count < faults; count += 1) add(random.pick([0, month_h - 1, ...instants]), faultOf());
  if (chance(35))
    add(0, { do: "late", times: 1 + random.below(4), after_h: random.pick([0, 1, 5, 30, 200]) });
  if (chance(100 / silence_share))
    add(month_h - 1, {
      do: "fault",
      customer: anyone(),
      fault: { operation: "*", effect: { kind: random.pick(["hang_before", "hang_after"] as const) } },
      untilTheEnd: true,
    });

  const actions = Math.ceil(customers * 1.1);
  for (let count = 0; count < actions; count += 1) add(whenever(), actionOf());
  // What shows that a request comes while another of the same invoice is at work.
  if (chance(50)) {
    const at_h = whenever();
    const customer = anyone();
    for (let twice = 0; twice < 2; twice += 1) add(at_h, { do: "pay", customer, which: 0, share: 1 });
    add(
      at_h,
      random.pick([
        { do: "credit", customer, which: 0, share: 0.5 },
        { do: "receive", customer, share: 1 },
        { do: "void", customer, which: 0 },
        { do: "write_off", customer, which: 0 },
      ] as const),
    );
  }
  // A refund of ours and one on the provider's page, which together would be more than came in.
  if (chance(25)) {
    const at_h = whenever();
    const customer = anyone();
    add(at_h, {
      do: "fault",
      customer,
      untilTheEnd: false,
      fault: { operation: "refunds.create", effect: { kind: "hang_before" }, times: 2 },
    });
    add(at_h, { do: "refund", customer, which: 0, share: 1, source: "goodwill" });
    add(at_h, { do: "refund_at_provider", customer, which: 0, share: 0.5 });
  }
  const crashes = chance(50) ? [1 + random.below(customers * 45)] : [];
  return {
    seed,
    simulator: {
      ...(settlesInDollars
        ? {
            settlementCurrencies: ["usd"],
            exchangeRates: { "eur/usd": "1.0842", "jpy/usd": "0.0067", "kwd/usd": "3.25" },
          }
        : {}),
      fees: { basisPoints: 290, fixed: 30, dispute: 1_500, isDisputeFeeReturned: chance(50) },
      delays: {
        available_ms: random.pick([0, 48]) * 3_600_000,
        balanceTransaction_ms: chance(20) ? 60_000 : 0,
        dispute_ms: random.pick([1, 3_600, 86_400]) * 1_000,
        refund_ms: random.pick([1, 7_200, 200_000]) * 1_000,
        webhook_ms: random.pick([0, 0, 30_000]),
      },
    },
    dunningEnd: random.pick(["none", "mark_uncollectible", "pause", "cancel"] as const),
    customers: people,
    steps: steps.sort((one, other) => one.at_h - other.at_h || one.number - other.number),
    crashes,
  };

  function faultOf(): Happening {
    const customer = chance(80) ? anyone() : undefined;
    const kind = random.below(100);
    if (kind < 50) {
      const effect = pick(random, lost);
      const fault: NewFault = { operation: pick(random, operations), effect };
      // The SDK repeats what was dropped once, at once.
      // And a step asks a busy provider eight times before it takes that for no answer.
      const most = effect.kind === "rate_limit" ? 12 : 3;
      const times = effect.kind.startsWith("drop") ? 2 : 1 + random.below(most);
      return {
        do: "fault",
        customer,
        untilTheEnd: false,
        fault: customer === undefined ? { ...fault, probability: 0.1 } : { ...fault, times },
      };
    }
    const times = 1 + random.below(2);
    const outcome = (operation: string, effect: NewFault["effect"]): Happening => ({
      do: "fault",
      customer: customer ?? anyone(),
      untilTheEnd: false,
      fault: { operation, effect, times },
    });
    const late = { after_ms: random.pick([1, 3_600, 180_000]) * 1_000 };
    if (kind < 57)
      return outcome("payment_intents.confirm", {
        kind: "decline",
        decline: random.pick(["insufficient_funds", "expired_card"]),
      });
    if (kind < 63)
      return outcome("payment_intents.confirm", {
        kind: "processing",
        outcome: random.pick(["succeeds", "insufficient_funds"] as const),
        ...late,
      });
    if (kind < 68) return outcome("payment_intents.confirm", { kind: "dispute", ...late });
    if (kind < 74)
      return outcome("refunds.create", {
        kind: "refund_pending",
        outcome: random.pick(["succeeds", "fails"] as const),
        ...late,
      });
    if (kind < 78) return outcome("refunds.create", { kind: "refund_fails", ...late });
    if (kind < 81)
      return {
        do: "fault",
        customer: undefined,
        untilTheEnd: false,
        fault: { operation: "payouts.automatic", effect: { kind: "payout_fails" }, times: 1 },
      };
    const effects: Weighted<NewFault["effect"]> = [
      [4, { kind: "webhook_lost" }],
      [5, { kind: "webhook_repeated", copies: 2 + random.below(2) }],
      [3, { kind: "webhook_delayed", ms: random.pick([1, 600, 90_000]) * 1_000 }],
      [4, { kind: "webhook_shuffled", window_ms: random.pick([0, 60_000]) }],
    ];
    return {
      do: "fault",
      customer,
      untilTheEnd: false,
      fault: {
        event: random.pick(["*", "*", "payment_intent.*", "refund.*", "charge.*", "payout.*"]),
        effect: pick(random, effects),
        probability: 0.6,
      },
    };
  }

  function actionOf(): Happening {
    const customer = anyone();
    const which = some();
    const actions: Weighted<Happening> = [
      [9, { do: "pay", customer, which, share: share() }],
      [9, { do: "attach", customer, method: pick(random, methods) ?? fine }],
      [2, { do: "detach", customer }],
      [3, { do: "look_up", customer }],
      [3, { do: "cancel_attempt", customer }],
      [6, { do: "receive", customer, share: random.pick([0.5, 1, 1.5]) }],
      [7, { do: "credit", customer, which, share: share() }],
      [5, { do: "void", customer, which }],
      [3, { do: "write_off", customer, which }],
      [
        14,
        {
          do: "refund",
          customer,
          which,
          share: share(),
          source: random.pick(["balance", "goodwill", "invoice"] as const),
        },
      ],
      [2, { do: "pause", customer }],
      [2, { do: "resume", customer }],
      [3, { do: "evidence", which, text: random.pick(["winning_evidence", "losing_evidence", "a receipt"]) }],
      [2, { do: "accept_dispute", which }],
      [2, { do: "backfill" }],
      [2, { do: "replay_event", which }],
      [5, { do: "refund_at_provider", customer, which, share: share() }],
      [6, { do: "dispute", customer, which, share: share(), isInquiry: chance(30) }],
      [5, { do: "decide_dispute", which, outcome: random.pick(["won", "lost"] as const) }],
      [2, { do: "escalate_dispute", which }],
      [1, { do: "authenticate", which, outcome: random.pick(["pass", "fail"] as const) }],
      [
        2,
        { do: "finish_processing", which, outcome: random.pick(["succeeds", "insufficient_funds"] as const) },
      ],
      [2, { do: "fail_refund", which }],
      [
        4,
        {
          do: "pay_out",
          currency: random.pick(["usd", "usd", "eur", "jpy"]),
          difference: random.pick([0, 0, -37, 12]),
        },
      ],
      [2, { do: "fail_payout", which }],
      [
        1,
        { do: "exchange_rate", from: "eur", to: "usd", rate: `1.0${random.below(10)}${random.below(10)}1` },
      ],
    ];
    return pick(random, actions);
  }
}

function pick<T>(random: SeededRandom, weighted: Weighted<T>): T {
  let left = random.below(weighted.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, value] of weighted) {
    if (left < weight) return value;
    left -= weight;
  }
  throw new RangeError("nothing to pick from");
}
