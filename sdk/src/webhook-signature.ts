/** What a receiver of Weir's webhooks gets, once its signature was found good. */
export interface WebhookEvent<Data = unknown> {
  /** The same at each attempt: a receiver that has seen it has nothing more to do. */
  readonly id: string;
  /** Such as invoice.finalized. */
  readonly type: string;
  /** When it happened, as RFC 3339, in the organization's time. */
  readonly timestamp: string;
  readonly data: Data;
}

export interface SignedWebhook {
  /** The body as it came in: parsed and written again it is no longer what was signed. */
  readonly body: string | Uint8Array;
  /** webhook-id, webhook-timestamp and webhook-signature, in any case. */
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** whsec_…; several while one is exchanged: any of them may have signed. */
  readonly secret: string | readonly string[];
  /** How far its time may be from this machine's; 300 when left out. */
  readonly tolerance_s?: number;
  /** The time now, in milliseconds since 1970. */
  readonly now_ms?: number;
}

/** The request is not one that Weir sent, or not lately: answer with 401 or 400 and do nothing. */
export class WebhookNotVerified extends Error {
  override readonly name = "WebhookNotVerified";
}

const prefix = "whsec_";
const tolerance_s_default = 300;
const signatures_max = 20;

/**
 * Checks a webhook by its signature (Standard Webhooks, version 1) and its time, and reads it.
 *
 *     const event = await verifyWebhook({ body: await request.text(), headers: request.headers, secret: process.env.WEBHOOK_SECRET ?? "" });
 *
 * Needs the Web Crypto API, which browsers, Node, Deno, Bun and workers have.
 * @throws WebhookNotVerified
 * @throws RangeError for a secret that is none
 */
export async function verifyWebhook<Data = unknown>(webhook: SignedWebhook): Promise<WebhookEvent<Data>> {
  const { headers, secret, tolerance_s = tolerance_s_default, now_ms = Date.now() } = webhook;
  const id = headerOf(headers, "webhook-id");
  const timestamp = headerOf(headers, "webhook-timestamp");
  const signatures = headerOf(headers, "webhook-signature");
  if (!/^\d{1,12}$/.test(timestamp))
    throw new WebhookNotVerified("webhook-timestamp is no number of seconds");
  const away_s = now_ms / 1000 - Number(timestamp);
  if (Math.abs(away_s) > tolerance_s) {
    const when = away_s > 0 ? "ago" : "ahead";
    throw new WebhookNotVerified(
      `it was signed ${Math.round(Math.abs(away_s))} s ${when}, more than ${tolerance_s} s: a replay, or this machine's clock is wrong`,
    );
  }
  const body = typeof webhook.body === "string" ? new TextEncoder().encode(webhook.body) : webhook.body;
  const head = new TextEncoder().encode(`${id}.${timestamp}.`);
  const signed = new Uint8Array(head.length + body.length);
  signed.set(head);
  signed.set(body, head.length);
  const keys = await Promise.all((typeof secret === "string" ? [secret] : secret).map(importSecret));
  if (keys.length === 0) throw new RangeError("there is no secret to check with");
  for (const text of signatures.split(" ").slice(0, signatures_max)) {
    const signature = text.startsWith("v1,") ? bytesOf(text.slice(3)) : undefined;
    if (signature === undefined) continue;
    // Compares in constant time.
    for (const key of keys)
      if (await crypto.subtle.verify("HMAC", key, signature, signed)) return eventOf<Data>(id, body);
  }
  throw new WebhookNotVerified(
    "no signature fits: another endpoint's secret, or the body is not the bytes that came in",
  );
}

function headerOf(headers: SignedWebhook["headers"], name: string): string {
  const value =
    headers instanceof Headers
      ? headers.get(name)
      : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  const text = typeof value === "string" ? value : value?.[0];
  if (text === undefined || text === "") throw new WebhookNotVerified(`the header ${name} is missing`);
  return text;
}

async function importSecret(secret: string): Promise<CryptoKey> {
  const bytes = bytesOf(secret.startsWith(prefix) ? secret.slice(prefix.length) : secret);
  if (bytes === undefined || bytes.length === 0)
    throw new RangeError("a secret is whsec_ and base64, as it was shown when the endpoint was made");
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

/** @returns undefined for what is no base64 */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function eventOf<Data>(id: string, body: Uint8Array): WebhookEvent<Data> {
  const { type, timestamp, data } = JSON.parse(new TextDecoder().decode(body)) as WebhookEvent<Data>;
  return { id, type, timestamp, data };
}
