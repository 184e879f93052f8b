import { hash } from "node:crypto";
import type { OrganizationId } from "../kernel/ids.js";

/**
 * Computes identities: a 128-bit keyed hash of the length-prefixed (organization, source, id), as 16 latin1
 * characters. The key is the data directory's secret, so that nobody outside can craft two ids that collide.
 * SHA-256 truncated: 0.55 µs a call with a latin1 result, 1.4 µs with a Buffer.
 */
export class EventIdentity {
  readonly #secret: string;

  constructor(hashKey: Uint8Array) {
    this.#secret = Buffer.from(hashKey).toString("hex");
  }

  keyOf(organization: OrganizationId, source: string, id: string): string {
    const text = `${this.#secret}${organization.length}:${organization}${source.length}:${source}${id.length}:${id}`;
    return hash("sha256", text, "binary").slice(0, 16);
  }
}
