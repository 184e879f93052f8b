import type { DisputeAnswering } from "../../provider.js";
import type { ClientOf } from "./stripe-clients.js";
import { answered } from "./stripe-failure.js";
import { reportedDispute } from "./stripe-objects.js";

export function stripeDisputes(clientOf: ClientOf): DisputeAnswering {
  return {
    submitEvidence: (account, { ref }, { evidence, submit }) =>
      answered(async () =>
        reportedDispute(await clientOf(account).disputes.update(ref, { evidence: { ...evidence }, submit })),
      ),

    acceptDispute: (account, { ref }) =>
      answered(async () => reportedDispute(await clientOf(account).disputes.close(ref))),
  };
}
