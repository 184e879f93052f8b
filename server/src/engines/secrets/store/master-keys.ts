import type { Sql } from "../../postgres/index.js";

/** A master key that has sealed something in this database. */
export interface UsedMasterKey {
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** Whether keyed hashes are made with it. */
  readonly hashes: boolean;
}

/** As weir_system. */
export async function selectMasterKeys(sql: Sql): Promise<UsedMasterKey[]> {
  return sql<UsedMasterKey[]>`SELECT id, hashes FROM master_keys ORDER BY first_used_at, id`;
}

/** The same, for one process at a time until its transaction ends. */
export async function lockMasterKeys(sql: Sql): Promise<UsedMasterKey[]> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('weir master keys', 0))`;
  return selectMasterKeys(sql);
}

export async function insertMasterKey(sql: Sql, { id, hashes }: UsedMasterKey): Promise<void> {
  await sql`INSERT INTO master_keys (id, hashes) VALUES (${id}, ${hashes})`;
}
