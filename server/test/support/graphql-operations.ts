/** Runs an operation and gives its data. @throws Error with the errors' messages */
export type RunOperation = <T>(query: string) => Promise<T>;

export interface Operations {
  readonly ask: RunOperation;
  /** Runs one mutation, written as its field with arguments, and gives its data. @throws Error naming a refusal */
  readonly mutate: <T>(field: string, selection: string) => Promise<T>;
  /** Advances the organization's test clock, however often that must be asked for. @returns where it stands then */
  readonly advance: (to: string) => Promise<{ readonly now: string; readonly state: string }>;
}

export function operationsOf(ask: RunOperation): Operations {
  const mutate = async <T>(field: string, selection: string): Promise<T> => {
    const name = /^\w+/.exec(field)?.[0] ?? "";
    const success = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}Success`;
    const { result } = await ask<{ result: { data?: T; message?: string } }>(
      `mutation { result: ${field} { ... on ${success} { data ${selection} } ... on RefusalError { message } } }`,
    );
    if (result.data === undefined) throw new Error(`${field}: ${result.message}`);
    return result.data;
  };
  return {
    ask,
    mutate,
    async advance(to) {
      for (;;) {
        const clock = await mutate<{ now: string; state: string }>(
          `advanceTestClock(to: "${to}")`,
          "{ now state }",
        );
        if (clock.state !== "advancing") return clock;
      }
    },
  };
}

/** A Weir that sheds load did nothing, and says when to come again: on a busy machine it does, and clients do. */
export async function unlessShed(send: () => Promise<Response>): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await send();
    if (response.status !== 503 || attempt === 60) return response;
    await response.arrayBuffer();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Asks a Weir over HTTP. */
export function askOver(fetchFrom: (pathname: string, init: RequestInit) => Promise<Response>): RunOperation {
  return async <T>(query: string) => {
    const response = await unlessShed(() =>
      fetchFrom("/graphql", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query }),
      }),
    );
    const { data, errors } = (await response.json()) as { data?: T; errors?: { message: string }[] };
    if (data == null || errors !== undefined)
      throw new Error(errors?.[0]?.message ?? `status ${response.status}`);
    return data;
  };
}
