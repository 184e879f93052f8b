import { WeirError } from "./problem.js";
import type { Transport } from "./transport.js";

interface GraphQLAnswer<T> {
  readonly data?: T | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

/** One argument of a mutation: its GraphQL type and value; undefined leaves it out. */
export type MutationArgument = readonly [type: string, value: unknown];

/** What every change takes. */
export interface Repeatable {
  /** A change that is sent again under it is answered as the first time. */
  readonly idempotencyKey?: string;
}

interface Sending extends Repeatable {
  /** Sent twice it does no harm, even without a key. */
  readonly repeatable?: boolean;
}

interface RefusalData {
  readonly __typename: "RefusalError";
  readonly code: string;
  readonly title: string;
  readonly message: string;
  readonly details: unknown;
}

/** Runs operations on /graphql. */
export class GraphQL {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * One query or mutation; what may be repeated, a query or a mutation under an idempotency key, is sent again on 429, 503
   * and lost connections.
   * @throws WeirError for errors; a refusal that is a member of the result's union is data
   */
  async run<T>(query: string, variables: object = {}, options: Sending = {}): Promise<T> {
    const { idempotencyKey, repeatable = idempotencyKey !== undefined || !/^\s*mutation\b/.test(query) } =
      options;
    const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
    const answer = await this.#transport.json<GraphQLAnswer<T>>("/graphql", {
      method: "POST",
      json: { query, variables },
      headers,
      repeatable,
    });
    return dataOf(answer);
  }

  /**
   * One mutation by its field: declares the arguments, and unwraps the result's union.
   * @param args its arguments, each with its GraphQL type; what is undefined is left out
   * @throws WeirError for errors and for a refusal
   */
  async mutate<T>(
    field: string,
    args: Readonly<Record<string, MutationArgument>>,
    selection: string,
    options: Sending = {},
  ): Promise<T> {
    const given = Object.entries(args).filter(([, [, value]]) => value !== undefined);
    const declared = given.map(([name, [type]]) => `$${name}: ${type}`).join(", ");
    const passed = given.map(([name]) => `${name}: $${name}`).join(", ");
    const success = `${field.slice(0, 1).toUpperCase()}${field.slice(1)}Success`;
    const query = `mutation(${declared}) { result: ${field}(${passed}) { __typename ... on ${success} { data ${selection} } ... on RefusalError { code title message details } } }`;
    const variables = Object.fromEntries(given.map(([name, [, value]]) => [name, value]));
    const { result } = await this.run<{ result: { __typename: string; data: T } | RefusalData }>(
      query,
      variables,
      options,
    );
    if (!isRefusal(result)) return result.data;
    const { code, title, message, details } = result;
    const type = `https://weir.dev/problems/${code}`;
    throw new WeirError({ type, title, status: 400, detail: message, details });
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

function isRefusal(result: { __typename: string } | RefusalData): result is RefusalData {
  return result.__typename === "RefusalError";
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
