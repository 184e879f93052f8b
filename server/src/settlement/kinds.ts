import type { OrganizationId } from "../kernel/ids.js";
import type { StoredFile } from "./store/files.js";

export const file_kind = "settlement";
export const report_kind = "reconciliation";

/** The run that reads a file; reading it again is another. */
export function runOf(
  organization: OrganizationId,
  { id, attempt }: Pick<StoredFile, "id" | "attempt">,
): string {
  return `${file_kind}:${organization}:${id}:${attempt}`;
}
