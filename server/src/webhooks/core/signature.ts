import { createHmac } from "node:crypto";

/** A secret as people see it: whsec_ and base64. */
export const secret_prefix = "whsec_";

export function formatSecret(bytes: Uint8Array): string {
  return secret_prefix + Buffer.from(bytes).toString("base64");
}

/**
 * The signature header of Standard Webhooks, version 1: HMAC-SHA256 over `id.timestamp.body`, one for each secret, so that a receiver may
 * know either the old or the new one while a secret is exchanged.
 *
 * @param timestamp_s  seconds since 1970, as in webhook-timestamp
 */
export function signatureHeader(
  secrets: readonly Uint8Array[],
  { id, timestamp_s, body }: { id: string; timestamp_s: number; body: Uint8Array },
): string {
  return secrets
    .map((secret) => {
      const mac = createHmac("sha256", secret).update(`${id}.${timestamp_s}.`).update(body);
      return `v1,${mac.digest("base64")}`;
    })
    .join(" ");
}
