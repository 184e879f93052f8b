import type { FastifyInstance } from "fastify";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Services } from "../../services.js";
import { webhook_bytes_max } from "../inbox.js";

/**
 * Where providers tell what happened: `POST /v1/webhooks/{organization}/{account}`. The signature is the authentication. 200
 * once the event and its job are stored, again for one that is known; the provider sends anything else again.
 */
export function registerWebhookRoutes(app: FastifyInstance, { payments }: Services): void {
  app.post<{ Params: { organization: string; account: string } }>(
    "/v1/webhooks/:organization/:account",
    { bodyLimit: webhook_bytes_max },
    async (request, reply) => {
      const { organization, account } = request.params;
      if (!/^org_[0-9a-z]{26}$/.test(organization)) throw unknownTarget();
      const body = request.body;
      const bytes = body instanceof Uint8Array ? body : Buffer.alloc(0);
      const outcome = await payments.inbox.deliver(
        organization as OrganizationId,
        account,
        request.headers,
        bytes,
      );
      return reply.code(200).send({ outcome });
    },
  );
}

function unknownTarget(): Refusal {
  const detail =
    "The path is /v1/webhooks/{organization id}/{provider account id}: `weir payments accounts` prints it.";
  return new Refusal(makeProblem("not-found", 404, "No such provider account", detail));
}
