import { balanceRoutes } from "../objects/balance.js";
import { balanceTransactionRoutes } from "../objects/balance-transactions.js";
import { chargeRoutes } from "../objects/charges.js";
import { checkoutSessionRoutes } from "../objects/checkout-sessions.js";
import { disputeRoutes } from "../objects/disputes.js";
import { payoutRoutes } from "../objects/payouts.js";
import { refundRoutes } from "../objects/refunds.js";
import { setupIntentRoutes } from "../objects/setup-intents.js";
import { webhookEndpointRoutes } from "../objects/webhook-endpoints.js";
import { customerRoutes } from "../objects/customers.js";
import { eventRoutes } from "../objects/events.js";
import { paymentIntentRoutes } from "../objects/payment-intents.js";
import { paymentMethodRoutes } from "../objects/payment-methods.js";
import type { Route } from "./call.js";

export const routes: readonly Route[] = [
  ...customerRoutes,
  ...paymentMethodRoutes,
  ...paymentIntentRoutes,
  ...setupIntentRoutes,
  ...checkoutSessionRoutes,
  ...chargeRoutes,
  ...refundRoutes,
  ...disputeRoutes,
  ...payoutRoutes,
  ...balanceRoutes,
  ...balanceTransactionRoutes,
  ...eventRoutes,
  ...webhookEndpointRoutes,
];

/** Routes by method and by path with every id as ":id"; a path's second, fourth, … part may be an id. */
const table = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
const words = new Set(routes.flatMap(({ path }) => path.split("/")));

export interface FoundRoute {
  readonly route: Route;
  readonly ids: readonly string[];
}

export function findRoute(method: string, path: string): FoundRoute | undefined {
  const ids: string[] = [];
  const parts = path.split("/").map((part) => {
    if (words.has(part)) return part;
    ids.push(part);
    return ":id";
  });
  const route = table.get(`${method} ${parts.join("/")}`);
  return route === undefined ? undefined : { route, ids };
}
