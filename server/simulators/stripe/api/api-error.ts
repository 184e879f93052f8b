/** What stands under `error` in a reply. */
export interface ErrorBody {
  readonly type: "api_error" | "card_error" | "idempotency_error" | "invalid_request_error";
  readonly message: string;
  readonly code?: string;
  readonly decline_code?: string;
  readonly param?: string;
  readonly doc_url?: string;
  readonly advice_code?: string;
  readonly network_decline_code?: string;
  readonly charge?: string;
  readonly payment_intent?: object;
  readonly payment_method?: object;
  readonly setup_intent?: object;
}

/** A refusal, as Stripe words and numbers it. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly body: ErrorBody;
  /**
   * Whether the reply is kept under the request's idempotency key: Stripe keeps what comes of a request that began to
   * be carried out, and nothing of one whose parameters were refused before.
   */
  readonly isStored: boolean;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    body: ErrorBody,
    options: { readonly isStored: boolean; readonly headers?: Readonly<Record<string, string>> },
  ) {
    super(body.message);
    this.status = status;
    this.body =
      body.code === undefined || body.doc_url !== undefined
        ? body
        : { ...body, doc_url: `https://stripe.com/docs/error-codes/${body.code.replaceAll("_", "-")}` };
    this.isStored = options.isStored;
    this.headers = options.headers ?? {};
  }
}

/** A parameter that is not as it must be: nothing was carried out. */
export function badParameter(param: string, message: string, code?: string): ApiError {
  const body = {
    type: "invalid_request_error",
    message,
    param,
    ...(code !== undefined && { code }),
  } as const;
  return new ApiError(400, body, { isStored: false });
}

/** A request that is well formed and cannot be carried out as things stand. */
export function refused(
  message: string,
  details: Partial<Omit<ErrorBody, "type" | "message">> = {},
  status = 400,
): ApiError {
  return new ApiError(status, { type: "invalid_request_error", message, ...details }, { isStored: true });
}

/** What Stripe calls an id that stands in a path. */
const path_names = new Set(["id", "intent"]);

/** An object that a request names and that is not there: 404 when the path names it, 400 when a parameter does. */
export function missing(noun: string, id: string, param: string, wasDropped: boolean): ApiError {
  const advice = wasDropped ? " (the simulator keeps a limited number of objects and dropped this one)" : "";
  const body = {
    type: "invalid_request_error",
    code: "resource_missing",
    message: `No such ${noun}: '${id}'${advice}`,
    param,
  } as const;
  return new ApiError(path_names.has(param) ? 404 : 400, body, { isStored: true });
}
