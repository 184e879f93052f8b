import { WeirError } from "./problem.js";
import type { Transport } from "./transport.js";

interface GraphQLAnswer<T> {
  readonly data?: T | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

/** Runs operations on /graphql. */
export class GraphQL {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * One query or mutation.
   * @param options.idempotencyKey a mutation that is sent again under it is answered as the first time
   * @throws WeirError for errors; a refusal that is a member of the result's union is data
   */
  async run<T>(query: string, variables: object = {}, options: { idempotencyKey?: string } = {}): Promise<T> {
    const headers = options.idempotencyKey === undefined ? {} : { "idempotency-key": options.idempotencyKey };
    const answer = await this.#transport.json<GraphQLAnswer<T>>("/graphql", {
      method: "POST",
      json: { query, variables },
      headers,
    });
    return dataOf(answer);
  }

  /** A subscription: each value as it comes, by server-sent events, until the caller stops. */
  async *subscribe<T>(query: string, variables: object = {}): AsyncGenerator<T, void, void> {
    const stop = new AbortController();
    try {
      const response = await this.#transport.send("/graphql", {
        method: "POST",
        body: JSON.stringify({ query, variables }),
        headers: { "content-type": "application/json", accept: "text/event-stream" },
        signal: stop.signal,
      });
      if (response.body === null) return;
      let text = "";
      const decoder = new TextDecoder();
      for await (const chunk of response.body) {
        text += decoder.decode(chunk, { stream: true });
        const events = text.split("\n\n");
        text = events.pop() ?? "";
        for (const event of events) {
          const data = event
            .split("\n")
            .filter((line) => line.startsWith("data:"))
            .map((line) => line.slice(5).trim())
            .join("\n");
          if (data !== "") yield dataOf(JSON.parse(data) as GraphQLAnswer<T>);
        }
      }
    } finally {
      stop.abort();
    }
  }
}

function dataOf<T>(answer: GraphQLAnswer<T>): T {
  const [error] = answer.errors ?? [];
  if (error === undefined && answer.data != null) return answer.data;
  const given = error?.extensions?.["code"];
  const code = typeof given === "string" ? given : "graphql";
  const status = code === "unavailable" ? 503 : 400;
  throw new WeirError({
    type: `https://weir.dev/problems/${code}`,
    title: "GraphQL error",
    status,
    detail: error?.message ?? "no data",
  });
}
