import type { FastifyInstance, FastifyReply } from "fastify";
import { Refusal, StoreUnavailable } from "../../kernel/problem.js";
import type { Services } from "../../services.js";
import { pageHeaders, pages, type CardUpdatePage } from "./card-update-page.js";
import { readCardUpdateToken, type CardUpdateGrant } from "./card-update-token.js";
import { VisitLimit } from "./visit-limit.js";

/*
 * Each visit makes a page at the provider, so they are counted: per customer, since many of them may come from one address. A
 * token that is not ours costs a hash, and is not counted.
 */
const visits = { burst: 10, refill_ms: 60_000, visitors_max: 10_000 };

/**
 * Where a card-update link leads: `GET /pay/{token}`, on to the provider's page for entering a card. The token is the
 * authentication; whatever is wrong, the page tells nothing of anyone.
 */
export function registerCardUpdateRoutes(app: FastifyInstance, services: Services): void {
  const { payments, billing, secrets, clocks, log } = services;
  const limit = new VisitLimit(visits);

  async function pageAtProvider({ organization, customer, account, expiresAt }: CardUpdateGrant) {
    if (expiresAt <= clocks.of(organization).now()) return pages.expired;
    const found = await billing.customers.find(organization, customer);
    if (found === undefined || found.erasedAt !== undefined) return pages.gone;
    const returnUrl = `${services.publicUrl()}/pay/done`;
    return payments.methods.setupPage(organization, { customer, account, returnUrl });
  }

  // Checking a link without opening it, as some mail programs do, must not make a page.
  app.get<{ Params: { token: string } }>(
    "/pay/:token",
    { exposeHeadRoute: false },
    async (request, reply) => {
      const grant = readCardUpdateToken(secrets, request.params.token);
      if (grant === undefined) return send(reply, pages.invalid);
      const wait_ms = limit.visit(`${grant.organization} ${grant.customer}`);
      if (wait_ms > 0)
        return send(reply.header("retry-after", String(Math.ceil(wait_ms / 1000))), pages.busy);
      try {
        const found = await pageAtProvider(grant);
        if (typeof found !== "string") return send(reply, found);
        return reply
          .code(303)
          .headers({ ...pageHeaders, location: found })
          .send("");
      } catch (error) {
        if (error instanceof Refusal) {
          log.warn("a card-update link leads nowhere", { customer: grant.customer, refusal: error.slug });
          return send(reply, pages.gone);
        }
        // Not by the common handler: it would write the address, which is as good as a key, into the log.
        if (!(error instanceof StoreUnavailable))
          log.error("a card-update link failed", { request: request.id, error: String(error) });
        return send(reply.header("retry-after", "60"), pages.unavailable);
      }
    },
  );

  app.get("/pay/done", { exposeHeadRoute: false }, (_request, reply) => send(reply, pages.done));
}

function send(reply: FastifyReply, { status, html }: CardUpdatePage): FastifyReply {
  return reply.code(status).headers(pageHeaders).send(html);
}
