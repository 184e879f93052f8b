import type { TestWeir } from "./test-weir.js";

/** What a mutation answered. */
export type Answer<T> =
  | {
      readonly data: T;
      readonly code?: undefined;
      readonly message?: undefined;
      readonly details?: undefined;
    }
  | {
      readonly data?: undefined;
      readonly code: string;
      readonly message: string;
      readonly details: {
        readonly errors?: readonly { readonly field: string; readonly message: string }[];
      } | null;
    };

/** GraphQL over HTTP, answers and refusals as they come; keeps every answer's text. */
export interface Asker {
  /** A query's data. @throws Error with the errors' messages */
  ask<T>(query: string): Promise<T>;
  /** One mutation, written as its field with arguments. */
  answer<T>(field: string, selection: string, idempotencyKey?: string): Promise<Answer<T>>;
  /** The same, when it must succeed. @throws Error naming the refusal */
  change<T>(field: string, selection: string, idempotencyKey?: string): Promise<T>;
  /** The code of the refusal that a mutation must be answered with. @throws Error with the data otherwise */
  refusal(field: string, idempotencyKey?: string): Promise<string>;
}

export function askerOf(weir: TestWeir, key: string, texts: string[] = []): Asker {
  async function send<T>(query: string, idempotencyKey?: string): Promise<T> {
    const response = await weir.fetch("/graphql", {
      method: "POST",
      key,
      headers: {
        "content-type": "application/json",
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      },
      body: JSON.stringify({ query }),
    });
    const text = await response.text();
    texts.push(text);
    const { data, errors } = JSON.parse(text) as {
      data?: T;
      errors?: { message: string; extensions?: { code?: string } }[];
    };
    if (errors !== undefined || data === undefined)
      throw new Error(
        errors?.map(({ message, extensions }) => `${extensions?.code ?? ""}: ${message}`).join("; ") ?? text,
      );
    return data;
  }

  const asker: Asker = {
    ask: (query) => send(query),
    async answer<T>(field: string, selection: string, idempotencyKey?: string) {
      const name = /^\w+/.exec(field)?.[0] ?? "";
      const success = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}Success`;
      const { result } = await send<{ result: Answer<T> }>(
        `mutation { result: ${field} { ... on ${success} { data ${selection} } ... on RefusalError { code message details } } }`,
        idempotencyKey,
      );
      return result;
    },
    async change<T>(field: string, selection: string, idempotencyKey?: string) {
      const { data, code, message } = await asker.answer<T>(field, selection, idempotencyKey);
      if (code !== undefined) throw new Error(`${field}: ${code}: ${message}`);
      return data;
    },
    async refusal(field, idempotencyKey) {
      const { code, data } = await asker.answer(field, "{ __typename }", idempotencyKey);
      if (code === undefined) throw new Error(`${field} was not refused: ${JSON.stringify(data)}`);
      return code;
    },
  };
  return asker;
}
