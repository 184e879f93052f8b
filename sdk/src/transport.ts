import { problemOf, WeirError } from "./problem.js";

export interface WeirOptions {
  /** Such as http://127.0.0.1:8080 */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Instead of the runtime's own. */
  readonly fetch?: typeof fetch;
  /** Attempts of what may be repeated; 6 when left out. */
  readonly attempts?: number;
}

export interface RequestOptions {
  readonly method?: string;
  readonly query?: URLSearchParams;
  /** A stream is sent as it comes, and once. */
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Whether sending it twice does no harm: then it is retried on 429, 503 and lost connections. */
  readonly repeatable?: boolean;
}

const attempts_default = 6;
const wait_ms_max = 30_000;

/** Sends requests, with the key, with retries where they do no harm. */
export class Transport {
  readonly #options: WeirOptions;

  constructor(options: WeirOptions) {
    this.#options = options;
  }

  /** @throws WeirError for every answer that is no success */
  async send(path: string, options: RequestOptions = {}): Promise<Response> {
    const { baseUrl, apiKey, fetch: fetch_ = fetch, attempts = attempts_default } = this.#options;
    const url = new URL(path, baseUrl);
    if (options.query !== undefined) url.search = options.query.toString();
    const repeatable = options.repeatable ?? (options.method === undefined || options.method === "GET");
    for (let attempt = 1; ; attempt += 1) {
      let wait_ms = Math.min(wait_ms_max, 200 * 2 ** attempt * (0.5 + Math.random()));
      try {
        const response = await fetch_(url, {
          method: options.method ?? "GET",
          headers: { authorization: `Bearer ${apiKey}`, ...options.headers },
          ...(options.body === undefined ? {} : { body: options.body }),
          ...(options.body instanceof ReadableStream ? { duplex: "half" as const } : {}),
          ...(options.signal === undefined ? {} : { signal: options.signal }),
        });
        if (response.ok) return response;
        const busy = response.status === 429 || response.status === 503;
        if (!busy || !repeatable || attempt >= attempts) throw new WeirError(await problemOf(response));
        const asked = Number(response.headers.get("retry-after"));
        if (asked > 0) wait_ms = Math.min(wait_ms_max, asked * 1000);
        await response.body?.cancel();
      } catch (error) {
        if (error instanceof WeirError || options.signal?.aborted === true) throw error;
        if (!repeatable || attempt >= attempts) throw unreachable(url, error);
      }
      await new Promise((resolve) => setTimeout(resolve, wait_ms));
    }
  }

  async json<T>(path: string, options: RequestOptions & { readonly json?: unknown } = {}): Promise<T> {
    const { json, ...rest } = options;
    const body =
      json === undefined
        ? rest
        : {
            ...rest,
            body: JSON.stringify(json),
            headers: { "content-type": "application/json", ...rest.headers },
          };
    const response = await this.send(path, body);
    const text = await response.text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }
}

function unreachable(url: URL, cause: unknown): WeirError {
  const reason = messageOf(cause instanceof Error && cause.cause !== undefined ? cause.cause : cause);
  const detail = `${url.origin} does not answer (${reason}). Is Weir running there?`;
  return new WeirError(
    { type: "about:blank#unreachable", title: "Unreachable", status: 0, detail },
    { cause },
  );
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
