import type { OutgoingQueue } from "../outgoing.js";
import type { PaymentProvider } from "../provider.js";
import { bankTransferProvider } from "./bank-transfer/index.js";
import { cardFilesProvider } from "./card-files/index.js";
import { stripeProvider } from "./stripe/index.js";

/** Every provider there is: a folder each, and a line here. */
export function allProviders(queue: OutgoingQueue): PaymentProvider[] {
  return [stripeProvider(), bankTransferProvider(queue), cardFilesProvider(queue)];
}
