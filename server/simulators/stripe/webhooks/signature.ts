import { createHmac } from "node:crypto";

/** The header `Stripe-Signature` of a body: HMAC-SHA256 over "time.body", hexadecimal, under the endpoint's secret. */
export function signatureHeader(body: string, secret: string, at_s: number): string {
  const signature = createHmac("sha256", secret).update(`${at_s}.${body}`, "utf8").digest("hex");
  return `t=${at_s},v1=${signature}`;
}
