import type { MethodKeeping, SetupPages } from "../../provider.js";
import { ProviderUnanswered } from "../../provider-failure.js";
import type { ClientOf } from "./stripe-clients.js";
import { answered } from "./stripe-failure.js";
import { reportedMethod } from "./stripe-objects.js";

/** Customers and their payment methods. */
export function stripeMethods(clientOf: ClientOf): MethodKeeping {
  return {
    createCustomer: (account, { id, name, email }) =>
      answered(async () => {
        const made = await clientOf(account).customers.create(
          { name, ...(email === undefined ? {} : { email }), metadata: { weir_customer: id } },
          { idempotencyKey: `weir:${account.id}:${id}` },
        );
        return made.id;
      }),

    attachMethod: (account, customerRef, { ref }) =>
      answered(async () =>
        reportedMethod(await clientOf(account).paymentMethods.attach(ref, { customer: customerRef })),
      ),

    detachMethod: (account, methodRef) =>
      answered(async () => {
        await clientOf(account).paymentMethods.detach(methodRef);
      }),
  };
}

/** Checkout sessions in setup mode. */
export function stripeSetupPages(clientOf: ClientOf): SetupPages {
  return {
    setupPage: (account, { customerRef, returnUrl }) =>
      answered(async () => {
        const session = await clientOf(account).checkout.sessions.create({
          mode: "setup",
          allowed_payment_method_types: ["card"],
          customer: customerRef,
          success_url: returnUrl,
          cancel_url: returnUrl,
        });
        if (session.url === null)
          throw new ProviderUnanswered(`Stripe made session ${session.id} without a page`);
        return { ref: session.id, url: session.url };
      }),
  };
}
