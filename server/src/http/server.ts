import Fastify, { type FastifyInstance, type RouteOptions } from "fastify";
import { newId } from "../kernel/ids.js";
import { registerDocumentRoutes } from "../billing/index.js";
import { registerCatalogRoutes } from "../catalog/index.js";
import { registerBatchRoutes, registerCardUpdateRoutes, registerWebhookRoutes } from "../payments/index.js";
import { describeConfig } from "../config.js";
import { registerGraphQL } from "../graphql/route.js";
import { registerJournalRoute } from "../ledger/index.js";
import type { Services } from "../services.js";
import { registerSettlementRoutes } from "../settlement/index.js";
import { directUsageRoutes, registerUsageRoutes } from "../usage/index.js";
import { authenticated } from "./authentication.js";
import { acceptRawBodies } from "./body.js";
import { answerDirectly } from "./direct-route.js";
import { registerHealthRoutes } from "./health.js";
import { defaultShedding, shedLoad } from "./load-shedding.js";
import { answerClientError, installProblemHandler, problemOf, sendProblem } from "./problem-handler.js";
import { limitRequestTime, upload_ms_max } from "./request-time.js";
import { registerWelcomePage } from "./welcome-page.js";

/**
 * The one HTTP port: ingest, REST, GraphQL, health and metrics.
 * @param onRoute  hears of every route, for tests that must leave none out
 */
export async function createHttpServer(
  services: Services,
  onRoute?: (route: RouteOptions) => void,
): Promise<FastifyInstance> {
  const { config } = services;
  // Names a request in the log and in a masked error; a random id for each cost a tenth of a small request.
  const start = newId("req", services.clock.now());
  let requests = 0;
  const nextRequestId = () => `${start}-${(requests += 1).toString(36)}`;
  const app = Fastify({
    logger: false,
    bodyLimit: config.ingest.bodyBytesMax,
    requestTimeout: upload_ms_max,
    connectionTimeout: 120_000,
    keepAliveTimeout: 75_000,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: 512 },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      void sendProblem(reply, problemOf(error, request, services.log));
    },
    genReqId: nextRequestId,
    // No route has a JSON schema: Fastify's compilers for them would only make each start longer.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
  });
  if (onRoute !== undefined) app.addHook("onRoute", onRoute);
  // An expectation that nobody knows may be ignored (RFC 9110, 10.1.1); Node would answer it with an empty 417.
  app.server.on("checkExpectation", (request, response) => app.server.emit("request", request, response));
  limitRequestTime(app);
  await acceptRawBodies(app, config.ingest.bodyBytesMax);
  installProblemHandler(app, services.log);
  const shedding = shedLoad(app, {
    ...defaultShedding,
    requestsInFlightMax: config.ingest.requestsInFlightMax,
  });
  registerHealthRoutes(app, services, shedding);
  registerWelcomePage(app);
  app.get("/v1/config", { preHandler: authenticated(services, "secret") }, () => describeConfig(config));
  registerUsageRoutes(app, services);
  registerCatalogRoutes(app, services);
  registerDocumentRoutes(app, services);
  registerWebhookRoutes(app, services);
  registerJournalRoute(app, services);
  registerSettlementRoutes(app, services);
  registerCardUpdateRoutes(app, services);
  registerBatchRoutes(app, services);
  registerGraphQL(app, services);
  const { identity, log } = services;
  answerDirectly(app, directUsageRoutes(services), { identity, shedding, log, nextRequestId });
  return app;
}

function noCompiler(): never {
  throw new Error("routes check and write JSON themselves: no route has a schema");
}
