import type { NewFault, SettingsChange } from "../../simulators/stripe/index.js";

/*
 * What a seed decides: who there is, what they do and when, what goes wrong, and where Weir dies. A plan is data, so that a part of
 * it can be played too.
 */

export interface Plan {
  readonly seed: number;
  readonly simulator: SettingsChange;
  readonly dunningEnd: "none" | "mark_uncollectible" | "pause" | "cancel";
  readonly customers: readonly PlannedCustomer[];
  readonly steps: readonly Step[];
  /** Boundaries of this organization's work at which the process dies. */
  readonly crashes: readonly number[];
}

export interface PlannedCustomer {
  readonly number: number;
  /** A key of `offers`. */
  readonly plan: PlanKey;
  /** A test card's number, or a bank account's name; without one nothing is charged by itself. */
  readonly method: string | undefined;
}

/** What customers are billed: amounts, currencies and times differ. */
export const offers = {
  "usd-arrears": { currency: "USD", amount: "20", timing: "arrears" },
  "usd-advance": { currency: "USD", amount: "35.50", timing: "advance" },
  "eur-arrears": { currency: "EUR", amount: "18.99", timing: "arrears" },
  "jpy-arrears": { currency: "JPY", amount: "2000", timing: "arrears" },
  "kwd-arrears": { currency: "KWD", amount: "12.340", timing: "arrears" },
} as const;
export type PlanKey = keyof typeof offers;

/** Something that happens at an instant. Those of one instant happen at once. */
export interface Step {
  /** Unique in the plan; names requests, so that one that was cut off can be repeated. */
  readonly number: number;
  /** Hours since the clock was started. */
  readonly at_h: number;
  readonly what: Happening;
}

export type Happening =
  /** What Weir is asked for. `which` chooses among the customer's invoices or payments: 0 the oldest, 0.99 the newest. */
  | { readonly do: "attach"; readonly customer: number; readonly method: string }
  | { readonly do: "detach"; readonly customer: number }
  | { readonly do: "pay"; readonly customer: number; readonly which: number; readonly share: number }
  | { readonly do: "look_up"; readonly customer: number }
  | { readonly do: "cancel_attempt"; readonly customer: number }
  | { readonly do: "receive"; readonly customer: number; readonly share: number }
  | { readonly do: "credit"; readonly customer: number; readonly which: number; readonly share: number }
  | { readonly do: "void"; readonly customer: number; readonly which: number }
  | { readonly do: "write_off"; readonly customer: number; readonly which: number }
  | {
      readonly do: "refund";
      readonly customer: number;
      readonly which: number;
      readonly share: number;
      readonly source: "balance" | "goodwill" | "invoice";
    }
  | { readonly do: "pause" | "resume"; readonly customer: number }
  | { readonly do: "evidence"; readonly which: number; readonly text: string }
  | { readonly do: "accept_dispute"; readonly which: number }
  | { readonly do: "backfill" }
  | { readonly do: "replay_event"; readonly which: number }
  /** What happens at the provider. */
  | {
      readonly do: "refund_at_provider";
      readonly customer: number;
      readonly which: number;
      readonly share: number;
    }
  | {
      readonly do: "dispute";
      readonly customer: number;
      readonly which: number;
      readonly share: number;
      readonly isInquiry: boolean;
    }
  | { readonly do: "decide_dispute"; readonly which: number; readonly outcome: "won" | "lost" }
  | { readonly do: "escalate_dispute"; readonly which: number }
  | { readonly do: "authenticate"; readonly which: number; readonly outcome: "pass" | "fail" }
  | {
      readonly do: "finish_processing";
      readonly which: number;
      readonly outcome: "succeeds" | "insufficient_funds";
    }
  | { readonly do: "fail_refund"; readonly which: number }
  | { readonly do: "pay_out"; readonly currency: string; readonly difference: number }
  | { readonly do: "fail_payout"; readonly which: number }
  | { readonly do: "exchange_rate"; readonly from: string; readonly to: string; readonly rate: string }
  /** What goes wrong from then on, of one customer or of all. */
  | {
      readonly do: "fault";
      readonly customer: number | undefined;
      readonly fault: NewFault;
      readonly untilTheEnd: boolean;
    }
  /** The next requests that time out arrive so many hours later all the same. */
  | { readonly do: "late"; readonly times: number; readonly after_h: number };

/** A plan with some of its parts only, as far as they make sense without the others. */
export function partOf(plan: Plan, parts: ReadonlySet<string>): Plan {
  const steps = plan.steps.filter((step) => parts.has(stepPart(step)));
  const crashes = plan.crashes.filter((boundary) => parts.has(crashPart(boundary)));
  const customers = plan.customers.filter((customer) => parts.has(customerPart(customer)));
  const numbers = new Set(customers.map(({ number }) => number));
  return {
    ...plan,
    customers,
    crashes,
    steps: steps.filter(
      ({ what }) => !("customer" in what) || what.customer === undefined || numbers.has(what.customer),
    ),
  };
}

/** The names of all parts that can be left out: crashes first, then what goes wrong, then what is done, then customers. */
export function partsOf(plan: Plan): string[] {
  const isFault = ({ what }: Step) => what.do === "fault" || what.do === "late";
  return [
    ...plan.crashes.map(crashPart),
    ...plan.steps.filter(isFault).map(stepPart),
    ...plan.steps.filter((step) => !isFault(step)).map(stepPart),
    ...plan.customers.map(customerPart),
  ];
}

const stepPart = ({ number }: Step) => `step ${number}`;
const crashPart = (boundary: number) => `crash ${boundary}`;
const customerPart = ({ number }: PlannedCustomer) => `customer ${number}`;

/** A plan as lines for people. */
export function describePlan(plan: Plan): string[] {
  return [
    `seed ${plan.seed}; dunning ends with ${plan.dunningEnd}; simulator ${JSON.stringify(plan.simulator)}`,
    ...plan.customers.map(
      ({ number, plan: key, method }) => `customer ${number}: ${key}, ${method ?? "no method"}`,
    ),
    ...plan.steps.map(describeStep),
    ...plan.crashes.map((boundary) => `Weir dies at boundary ${boundary}`),
  ];
}

export function describeStep({ number, at_h, what }: Step): string {
  const { do: name, ...rest } = what;
  const details = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`);
  return `step ${number}, hour ${at_h}: ${name.replaceAll("_", " ")}${details.length > 0 ? `, ${details.join(", ")}` : ""}`;
}
