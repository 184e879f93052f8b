import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { GraphQLError } from "graphql";
import { createYoga, maskError } from "graphql-yoga";
import { refuseUnknownKey } from "../http/authentication.js";
import { idempotencyKeyOf } from "../http/idempotency-key.js";
import { problemOf, sendProblem } from "../http/problem-handler.js";
import { requireKind, type Caller } from "../identity/index.js";
import { Refusal, slugOf } from "../kernel/problem.js";
import type { Services } from "../services.js";
import type { GraphQLContext } from "./context.js";
import { schema } from "./schema.js";

export const playgroundQuery = `# Your key goes into the headers below.
query Meters {
  meters {
    slug
    aggregation
    usage(input: { windowSize: DAY }) {
      rows { windowStart value }
    }
  }
}
`;

interface RequestParts {
  readonly fastifyRequest: FastifyRequest;
  /** Absent only where no operation runs: on the playground's page. */
  readonly caller: Caller | undefined;
}

/** /graphql: POST and server-sent events for operations (with a key), GET in a browser for the playground. */
export function registerGraphQL(app: FastifyInstance, services: Services): void {
  const yoga = createYoga<RequestParts, GraphQLContext>({
    schema,
    graphqlEndpoint: "/graphql",
    graphiql: {
      title: "Weir",
      headers: '{"Authorization": "Bearer <your key>"}',
      defaultQuery: playgroundQuery,
    },
    // Loaded by the first who opens it: a page of 9 MB is no part of a start.
    renderGraphiQL: async (options) =>
      (await import("@graphql-yoga/render-graphiql")).renderGraphiQL(options),
    landingPage: false,
    logging: false,
    batching: false,
    cors: false,
    context: ({ caller, fastifyRequest }) => {
      if (caller === undefined) throw refuseUnknownKey(undefined);
      const idempotencyKey = idempotencyKeyOf(fastifyRequest);
      return { caller, services, clock: services.clocks.of(caller.organization), idempotencyKey };
    },
    maskedErrors: {
      maskError(error, message) {
        const original = error instanceof GraphQLError ? error.originalError : undefined;
        if (original instanceof Refusal) {
          const { title, status: _status, detail, type, ...rest } = original.problem;
          return new GraphQLError(detail, { extensions: { code: original.slug, type, title, ...rest } });
        }
        if (original !== undefined && original !== null) {
          const parts = { id: "graphql", method: "POST", url: "/graphql" };
          const problem = problemOf(original, parts, services.log);
          if (problem.status !== 500)
            return new GraphQLError(problem.detail, { extensions: { ...problem, code: slugOf(problem) } });
        }
        return maskError(error, message);
      },
    },
  });

  app.route({
    url: "/graphql",
    method: ["GET", "POST", "OPTIONS"],
    handler: async (request, reply) => {
      const accept = request.headers.accept ?? "";
      if (request.method === "GET" && accept.includes("text/html")) {
        // The page is public, operations are not.
        return answer(
          await yoga.fetch(toFetchRequest(request), { fastifyRequest: request, caller: undefined }),
          reply,
        );
      }
      const caller = await services.identity.authenticate(request.headers.authorization);
      if (caller === undefined) return refuse(reply, refuseUnknownKey(request.headers.authorization));
      try {
        requireKind(caller, "secret", "read");
      } catch (error) {
        if (error instanceof Refusal) return refuse(reply, error);
        throw error;
      }
      return answer(await yoga.fetch(toFetchRequest(request), { fastifyRequest: request, caller }), reply);
    },
  });
}

/** A problem that GraphQL's clients, the playground first, can read as well. */
function refuse(reply: FastifyReply, { problem, slug }: Refusal): FastifyReply {
  return sendProblem(reply, {
    ...problem,
    errors: [{ message: problem.detail, extensions: { code: slug } }],
  });
}

function toFetchRequest(request: FastifyRequest): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === "string" && name !== "content-encoding" && name !== "content-length")
      headers.set(name, value);
  }
  const aborted = new AbortController();
  request.raw.once("close", () => aborted.abort());
  const body =
    request.method === "POST" && request.body instanceof Uint8Array ? Buffer.from(request.body) : null;
  return new Request(new URL(request.url, "http://weir.invalid"), {
    method: request.method,
    headers,
    body,
    signal: aborted.signal,
  });
}

async function answer(response: Response, reply: FastifyReply): Promise<FastifyReply> {
  reply.code(response.status);
  response.headers.forEach((value, name) => void reply.header(name, value));
  if (response.body === null) return reply.send();
  return reply.send(response.body);
}
