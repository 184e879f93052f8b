import type { FastifyInstance } from "fastify";
import { authenticated, callerOf } from "../../http/authentication.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { Services } from "../../services.js";

/** GET /v1/payment-batches/{id}.csv, or .xml: the file of a batch that was closed, byte for byte as it was made. */
export function registerBatchRoutes(app: FastifyInstance, services: Services): void {
  const mayRead = { preHandler: authenticated(services, "secret") };
  const { batches } = services.payments;
  app.get<{ Params: { file: string } }>("/v1/payment-batches/:file", mayRead, async (request, reply) => {
    const { file: asked } = request.params;
    const dot = asked.lastIndexOf(".");
    const { organization } = callerOf(request);
    const content = await batches.content(organization, dot < 0 ? asked : asked.slice(0, dot));
    const { file, mediaType } = content;
    const extension = file.name.slice(file.name.lastIndexOf("."));
    if (dot < 0 || asked.slice(dot) !== extension) throw otherExtension(asked, extension);
    return reply
      .header("content-type", mediaType)
      .header("content-length", file.bytes)
      .header("content-disposition", `attachment; filename="${file.name}"`)
      .header("x-content-type-options", "nosniff")
      .header("repr-digest", `sha-256=:${Buffer.from(file.sha256, "hex").toString("base64")}:`)
      .send(await content.read());
  });
}

function otherExtension(asked: string, extension: string): Refusal {
  const detail = `"${asked.slice(0, 64)}" is no file of a batch: this one's ends in ${extension}.`;
  return new Refusal(makeProblem("payment-batch-file-unknown", 404, "No such file", detail));
}
