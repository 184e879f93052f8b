import { z } from "zod";
import { declineNames } from "../objects/decline.js";

const ms = z.number().int().min(0).max(31_536_000_000);
const decline = z.enum(declineNames);

/** What goes wrong with a request, whatever it asks for. */
const requestEffects = [
  /** The connection breaks before anything is carried out. */
  z.strictObject({ kind: z.literal("drop_before") }),
  /** The connection breaks once all is carried out: the reply is lost. */
  z.strictObject({ kind: z.literal("drop_after") }),
  /** Nothing is carried out and no reply ever comes. */
  z.strictObject({ kind: z.literal("hang_before") }),
  /** All is carried out and no reply ever comes. */
  z.strictObject({ kind: z.literal("hang_after") }),
  /** Waits, in simulated time, before carrying out or before replying; the idempotency key is in use meanwhile. */
  z.strictObject({ kind: z.literal("delay"), ms, when: z.enum(["before", "after"]).default("before") }),
  /** 429 with Retry-After; nothing is carried out. */
  z.strictObject({
    kind: z.literal("rate_limit"),
    retryAfter_s: z.number().int().min(0).max(3_600).default(1),
  }),
  /** A 5xx with nothing carried out; kept under the idempotency key when `isKept`. */
  z.strictObject({
    kind: z.literal("error_before"),
    status: z.number().int().min(500).max(599).default(500),
    isKept: z.boolean().default(false),
  }),
  /** A 5xx although all is carried out; kept under the idempotency key, as on Stripe. */
  z.strictObject({ kind: z.literal("error_after"), status: z.number().int().min(500).max(599).default(500) }),
] as const;

/** What becomes of a payment, a refund or a payout, whatever the card. */
const outcomeEffects = [
  z.strictObject({ kind: z.literal("decline"), decline: decline.default("generic_decline") }),
  /** The payment is processing first; without an outcome until it is settled by hand. */
  z.strictObject({
    kind: z.literal("processing"),
    outcome: z.union([z.literal("succeeds"), decline]).optional(),
    after_ms: ms.optional(),
  }),
  /** The charge is disputed by its owner. */
  z.strictObject({
    kind: z.literal("dispute"),
    reason: z.string().max(100).default("fraudulent"),
    after_ms: ms.optional(),
  }),
  /** The refund is pending first, and succeeds or fails later. */
  z.strictObject({
    kind: z.literal("refund_pending"),
    outcome: z.enum(["succeeds", "fails"]).default("succeeds"),
    after_ms: ms.optional(),
  }),
  /** The refund succeeds and fails later. */
  z.strictObject({ kind: z.literal("refund_fails"), after_ms: ms.optional() }),
  /** The payout's amount is this much more, or less, than its balance transactions come to. */
  z.strictObject({
    kind: z.literal("payout_difference"),
    amount: z.number().int().min(-1_000_000_000).max(1_000_000_000),
  }),
  /** The payout fails, by default once it was paid. */
  z.strictObject({
    kind: z.literal("payout_fails"),
    code: z.string().max(100).default("account_closed"),
    after_ms: ms.optional(),
  }),
] as const;

/** What becomes of the webhooks of an event. */
const webhookEffects = [
  z.strictObject({ kind: z.literal("webhook_lost") }),
  z.strictObject({ kind: z.literal("webhook_repeated"), copies: z.number().int().min(2).max(20).default(2) }),
  z.strictObject({ kind: z.literal("webhook_delayed"), ms }),
  /** Delivered in any order with what is due within the window. */
  z.strictObject({ kind: z.literal("webhook_shuffled"), window_ms: ms.default(0) }),
] as const;

const pattern = z
  .string()
  .regex(/^(\*|[a-z_.]+(\.\*)?)$/, 'give a name such as "payment_intents.confirm", "refunds.*" or "*"');

const schema = z
  .strictObject({
    /** Of the API: "payment_intents.confirm"; a name may end in ".*". All when not given. */
    operation: pattern.optional(),
    /** For webhooks, the type of the event: "charge.succeeded"; a name may end in ".*". All when not given. */
    event: pattern.optional(),
    /** Only for this customer's requests, objects and events. */
    customer: z.string().max(100).optional(),
    /** Only where the metadata, of the request or of the object it names, hold all of this. */
    metadata: z.record(z.string().max(40), z.string().max(500)).optional(),
    /** Strikes at the n-th match only, counted from 1. */
    nth: z.number().int().min(1).optional(),
    /** Strikes with this chance, by the simulator's seed. */
    probability: z.number().min(0).max(1).optional(),
    /** Strikes so many times at most. */
    times: z.number().int().min(1).optional(),
    effect: z.discriminatedUnion("kind", [...requestEffects, ...outcomeEffects, ...webhookEffects]),
  })
  .check((context) => {
    const { operation, event, effect } = context.value;
    const isOfWebhooks = effect.kind.startsWith("webhook_");
    const wrong = isOfWebhooks ? operation : event;
    if (wrong === undefined) return;
    const [is, takes] = isOfWebhooks ? ["operation", "event"] : ["event", "operation"];
    context.issues.push({
      code: "custom",
      input: wrong,
      path: [is],
      message: `an effect "${effect.kind}" is matched by ${takes}`,
    });
  });

/** When something goes wrong, and what. */
export type NewFault = z.input<typeof schema>;
export type Fault = z.output<typeof schema>;
export type FaultEffect = Fault["effect"];

/** A fault that was asked for is none. */
export class InvalidFault extends Error {
  override readonly name = "InvalidFault";
}

/** @throws InvalidFault with what is wrong, and where */
export function parseFault(input: unknown): Fault {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new InvalidFault(z.prettifyError(parsed.error));
  return parsed.data;
}
