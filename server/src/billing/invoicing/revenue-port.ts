import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Deferral } from "../../ledger/index.js";

export type { Deferral } from "../../ledger/index.js";

/** Revenue for services still to come, as invoices see it; see Revenue. */
export interface RevenuePort {
  defer(sql: Sql, organization: OrganizationId, deferrals: readonly Deferral[]): Promise<void>;
  /** @returns by line, what of its amount was not earned yet; lines that were not deferred are left out */
  takeBack(
    sql: Sql,
    lines: readonly { readonly line: string; readonly amount: bigint }[],
  ): Promise<ReadonlyMap<string, bigint>>;
}
