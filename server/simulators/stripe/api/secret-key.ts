import { ApiError } from "./api-error.js";

/** A live key was brought near the simulator. */
export class LiveKeyRefused extends Error {
  override readonly name = "LiveKeyRefused";

  constructor() {
    super(
      "A live Stripe key must never be used with the simulator. Use a test key (sk_test_…), or take the provider account off the simulator's address.",
    );
  }
}

export function isLiveKey(key: string): boolean {
  return /^\s*(sk|rk|pk)_live_/i.test(key);
}

/**
 * Checks the key of a request; what follows "sk_test_" is not looked at.
 * @throws ApiError 401; 403 for a live key
 */
export function checkSecretKey(authorization: string | undefined): void {
  const key = keyOf(authorization);
  if (key === undefined)
    throw unauthorized(
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
    );
  if (isLiveKey(key))
    throw new ApiError(
      403,
      { type: "invalid_request_error", code: "live_key_refused", message: new LiveKeyRefused().message },
      { isStored: false },
    );
  if (!/^(sk|rk)_test_\S+$/.test(key))
    throw unauthorized(
      "Invalid API Key provided. The simulator takes any key that begins with sk_test_ or rk_test_.",
    );
}

function keyOf(authorization: string | undefined): string | undefined {
  const [scheme, value] = authorization?.split(" ", 2) ?? [];
  if (value === undefined || value === "") return undefined;
  if (scheme?.toLowerCase() === "bearer") return value;
  if (scheme?.toLowerCase() !== "basic") return undefined;
  const [user] = Buffer.from(value, "base64").toString("utf8").split(":", 1);
  return user === "" ? undefined : user;
}

function unauthorized(message: string): ApiError {
  return new ApiError(401, { type: "invalid_request_error", message }, { isStored: false });
}
