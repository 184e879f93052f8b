import type { OrganizationId } from "../../kernel/ids.js";
import type { Parameters, Session } from "./session.js";

export type { Parameters } from "./session.js";

/** The only way to an organization's rows. */
export interface TenantDoor {
  /**
   * Runs a query whose every tenant table is bound by `{organization:String}`.
   * @param name for errors and traces
   * @param row turns a JSON row (decimals and 64-bit integers as strings) into the caller's shape
   * @throws ColumnarLimitExceeded, ColumnarUnavailable; Error when the SQL forgets the organization
   */
  query<T>(name: string, sql: string, parameters: Parameters, row: (raw: Row) => T): Promise<T[]>;
}

export type Row = Readonly<Record<string, unknown>>;

const tenant_tables = ["usage_events", "usage", "usage_corrections", "usage_15m", "usage_1d"] as const;
const mention = new RegExp(`\\b(?:FROM|JOIN)\\s+weir\\.(?:${tenant_tables.join("|")})\\b`, "gi");
const binding = /\borganization = \{organization:String\}/g;
const organization_pattern = /^org_[0-9a-z]{26}$/;

/**
 * Binds one organization twice: by the parameter that the SQL must use for each tenant table, and by a filter that
 * the store adds to every read of those tables, whatever the SQL says.
 *
 * @param memoryBytesMax  of one query; beyond it, it ends with ColumnarLimitExceeded
 */
export function openTenantDoor(
  organization: OrganizationId,
  session: () => Session,
  memoryBytesMax: number,
): TenantDoor {
  if (!organization_pattern.test(organization)) throw new Error(`not an organization's id: ${organization}`);
  const filters = tenant_tables
    .map((table) => `'weir.${table}':'organization = \\'${organization}\\''`)
    .join(",");
  const settings = `SETTINGS additional_table_filters = {${filters}}, max_execution_time = 30, max_result_rows = 1000000,
    result_overflow_mode = 'throw', max_memory_usage = ${memoryBytesMax}, output_format_json_quote_decimals = 1,
    output_format_json_quote_64bit_integers = 1, output_format_decimal_trailing_zeros = 0`;
  return {
    async query(name, sql, parameters, row) {
      const mentions = sql.match(mention)?.length ?? 0;
      const bindings = sql.match(binding)?.length ?? 0;
      if (mentions === 0 || bindings < mentions) {
        throw new Error(
          `${name} reads ${mentions} tenant tables and binds the organization ${bindings} times`,
        );
      }
      const rows = await session().query(name, `${sql}\n${settings}`, { ...parameters, organization });
      return rows.map((raw) => row(raw as Row));
    },
  };
}
