import { z } from "zod";
import { ApiError } from "../api/api-error.js";
import type { SimulatorReply, SimulatorRequest } from "../api/request-handler.js";
import { InvalidFault, type NewFault } from "../faults/fault.js";
import { declineNames } from "../objects/decline.js";
import type { StripeSimulator } from "../simulator.js";

const id = z.string().min(1).max(100);
const currency = z.string().length(3).toLowerCase();
const outcome = z.enum(["won", "lost"]);

/** A thing that can be done to the simulator from outside, beyond Stripe's API. */
interface ControlRoute {
  readonly method: "GET" | "POST" | "DELETE";
  /** With ":id" where an id stands. */
  readonly path: string;
  readonly act: (simulator: StripeSimulator, body: unknown, id: string) => object;
}

const routes: readonly ControlRoute[] = [
  { method: "GET", path: "/faults", act: (simulator) => ({ faults: simulator.faults.list() }) },
  {
    method: "POST",
    path: "/faults",
    // The plan checks it, so that code and control endpoint refuse in the same words.
    act: (simulator, body) => ({ id: simulator.faults.add(body as NewFault) }),
  },
  {
    method: "DELETE",
    path: "/faults",
    act: (simulator) => {
      simulator.faults.clear();
      return { faults: [] };
    },
  },
  {
    method: "DELETE",
    path: "/faults/:id",
    act: (simulator, _, fault) => ({ removed: simulator.faults.remove(fault) }),
  },
  {
    method: "POST",
    path: "/payment_methods",
    act: (simulator, body) => {
      const { customer, ...card } = z
        .strictObject({
          number: z.string().max(30),
          exp_month: z.number().int().optional(),
          exp_year: z.number().int().optional(),
          cvc: z.string().max(4).optional(),
          name: z.string().max(100).optional(),
          customer: id.optional(),
        })
        .parse(body);
      return { payment_method: simulator.createPaymentMethod(withoutUndefined(card), customer) };
    },
  },
  {
    method: "POST",
    path: "/payment_intents/:id/authenticate",
    act: (simulator, body, intent) => {
      simulator.authenticate(
        intent,
        z.strictObject({ outcome: z.enum(["pass", "fail"]) }).parse(body).outcome,
      );
      return { payment_intent: intent };
    },
  },
  {
    method: "POST",
    path: "/payment_intents/:id/finish",
    act: (simulator, body, intent) => {
      const { outcome: ending } = z
        .strictObject({ outcome: z.union([z.literal("succeeds"), z.enum(declineNames)]) })
        .parse(body);
      simulator.finishProcessing(intent, ending);
      return { payment_intent: intent };
    },
  },
  {
    method: "POST",
    path: "/disputes",
    act: (simulator, body) => {
      const { charge, ...dispute } = z
        .strictObject({
          charge: id,
          amount: z.number().int().min(1).optional(),
          reason: z.string().max(100).optional(),
          isInquiry: z.boolean().optional(),
        })
        .parse(body);
      return { dispute: simulator.dispute(charge, withoutUndefined(dispute)) };
    },
  },
  {
    method: "POST",
    path: "/disputes/:id/decide",
    act: (simulator, body, dispute) => {
      simulator.decideDispute(dispute, z.strictObject({ outcome }).parse(body).outcome);
      return { dispute };
    },
  },
  {
    method: "POST",
    path: "/disputes/:id/escalate",
    act: (simulator, _, dispute) => {
      simulator.escalateDispute(dispute);
      return { dispute };
    },
  },
  {
    method: "POST",
    path: "/refunds/:id/fail",
    act: (simulator, body, refund) => {
      const { reason } = z.strictObject({ reason: z.string().max(100).optional() }).parse(body ?? {});
      simulator.failRefund(refund, reason);
      return { refund };
    },
  },
  {
    method: "POST",
    path: "/payouts",
    act: (simulator, body) => {
      const { currency: of, difference } = z
        .strictObject({ currency, difference: z.number().int().optional() })
        .parse(body);
      return { payout: simulator.payOut(of, difference) ?? null };
    },
  },
  {
    method: "POST",
    path: "/payouts/:id/fail",
    act: (simulator, body, payout) => {
      const { code } = z.strictObject({ code: z.string().max(100).optional() }).parse(body ?? {});
      simulator.failPayout(payout, code);
      return { payout };
    },
  },
  {
    method: "POST",
    path: "/exchange_rates",
    act: (simulator, body) => {
      const { from, to, rate } = z
        .strictObject({ from: currency, to: currency, rate: z.string().max(20) })
        .parse(body);
      simulator.setExchangeRate(from, to, rate);
      return { from, to, rate };
    },
  },
  {
    method: "POST",
    path: "/webhooks",
    act: (simulator, body) => {
      const target = z
        .strictObject({
          url: z.url({ protocol: /^https?$/ }).max(2_000),
          secret: z.string().min(1).max(200),
          events: z.array(z.string().max(100)).min(1).max(200).default(["*"]),
        })
        .parse(body);
      return { webhook: simulator.addWebhook(target) };
    },
  },
  {
    method: "DELETE",
    path: "/webhooks/:id",
    act: (simulator, _, webhook) => {
      simulator.removeWebhook(webhook);
      return { webhook };
    },
  },
  {
    method: "GET",
    path: "/ledger",
    act: ({ ledger }) => ({
      balances: ledger.balances(),
      charges: [...ledger.charges()],
      movements: ledger.movements(),
    }),
  },
];

/** Answers a request below /_simulator that is none of its pages; undefined for any other path. */
export function answerControl(
  simulator: StripeSimulator,
  request: SimulatorRequest,
): SimulatorReply | undefined {
  const match = /^\/_simulator(\/[a-z_]+)(?:\/([\w-]+)(\/[a-z_]+)?)?$/.exec(request.path);
  if (match === null) return undefined;
  const [, first = "", named, last = ""] = match;
  const path = named === undefined ? first : `${first}/:id${last}`;
  const route = routes.find((candidate) => candidate.method === request.method && candidate.path === path);
  if (route === undefined) return undefined;
  try {
    return json(200, route.act(simulator, readBody(request), named ?? ""));
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return json(refusal.status, { error: { message: refusal.message } });
  }
}

/** JSON by its declared type only: a page of another site cannot send that without being asked for leave. */
function readBody(request: SimulatorRequest): unknown {
  if (request.method !== "POST" || request.body === "") return undefined;
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? ""))
    throw new InvalidControl('send JSON with "content-type: application/json"');
  try {
    return JSON.parse(request.body) as unknown;
  } catch (error) {
    throw new InvalidControl(`the body is no JSON: ${error instanceof Error ? error.message : ""}`);
  }
}

class InvalidControl extends Error {
  override readonly name = "InvalidControl";
}

function refusalOf(error: unknown): { readonly status: number; readonly message: string } | undefined {
  if (error instanceof ApiError) return { status: error.status, message: error.message };
  if (error instanceof z.ZodError) return { status: 400, message: z.prettifyError(error) };
  if (error instanceof InvalidFault || error instanceof InvalidControl || error instanceof RangeError)
    return { status: 400, message: error.message };
  return undefined;
}

function json(status: number, body: object): SimulatorReply {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: `${JSON.stringify(body, undefined, 2)}\n`,
  };
}

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(object: T): Given<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Given<T>;
}
