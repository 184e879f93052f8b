import { createHash } from "node:crypto";
import { contentOf, type PostedContent } from "./core/index.js";

/** SHA-256 over what a posting stands for, in hexadecimal: another content under its key is refused. */
export function fingerprintOf(posting: PostedContent): string {
  return createHash("sha256").update(contentOf(posting)).digest("hex");
}
