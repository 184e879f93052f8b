export { stripeProvider } from "./stripe-provider.js";
export type { StripeTransport } from "./stripe-clients.js";
