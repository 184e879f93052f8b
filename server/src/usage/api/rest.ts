import type { FastifyInstance } from "fastify";
import type { Services } from "../../services.js";
import { registerCorrectionRoutes } from "./correction-routes.js";
import { registerEventListRoutes } from "./event-list-routes.js";
import { eventRoutes, registerEventRoutes } from "./event-routes.js";
import { registerImportRoutes } from "./import-routes.js";
import { registerMeterRoutes } from "./meter-routes.js";

/** Every REST route of the usage domain. */
export function registerUsageRoutes(app: FastifyInstance, services: Services): void {
  registerEventRoutes(app, services);
  registerEventListRoutes(app, services);
  registerCorrectionRoutes(app, services);
  registerImportRoutes(app, services);
  registerMeterRoutes(app, services);
}

/** Those of them that are answered ahead of Fastify. */
export { eventRoutes as directUsageRoutes };
