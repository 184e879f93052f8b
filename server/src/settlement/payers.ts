import type { Objects } from "../engines/objects/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { OrganizationId, ProviderAccountId, SettlementFileId } from "../kernel/ids.js";
import { readActionKey } from "./core/posting/index.js";
import { readRecordAt } from "./read-record.js";
import { findException } from "./store/exceptions.js";
import { findFile, type StoredFile } from "./store/files.js";
import { findByKeys } from "./store/records.js";

export interface PayersOptions {
  readonly postgres: Postgres;
  readonly objects: Objects;
}

/** Whose account money came from, as the bank's statement says. */
export interface Payer {
  readonly name: string | undefined;
  readonly iban: string;
}

/** Who paid: account numbers rest in the encrypted files only, and are read there when somebody needs one. */
export class Payers {
  readonly #on: PayersOptions;

  constructor(options: PayersOptions) {
    this.#on = options;
  }

  /** @param key  of the action by which payments heard of the transfer @returns undefined where the statement, or this data directory, does not have it */
  async find(organization: OrganizationId, key: string): Promise<Payer | undefined> {
    const place = await this.#on.postgres.inOrganization(organization, (sql) => placeOf(sql, key));
    if (place === undefined) return undefined;
    const { file, position } = place;
    const record = await readRecordAt(this.#on.objects, organization, file, position);
    if (record === undefined || record === "elsewhere") return undefined;
    const { name, iban } = record.counterparty ?? {};
    return iban === undefined ? undefined : { name, iban };
  }
}

async function placeOf(
  sql: Sql,
  key: string,
): Promise<{ readonly file: StoredFile; readonly position: number } | undefined> {
  const named = readActionKey(key);
  if (named === undefined) return undefined;
  const place = "exception" in named ? await ofException(sql, named.exception) : await ofRecord(sql, named);
  const file = place && (await findFile(sql, place.file));
  return place === undefined || file === undefined ? undefined : { file, position: place.position };
}

async function ofRecord(sql: Sql, { account, record }: { account: string; record: string }) {
  return (await findByKeys(sql, account as ProviderAccountId, [record])).get(record);
}

async function ofException(
  sql: Sql,
  id: string,
): Promise<{ readonly file: SettlementFileId; readonly position: number } | undefined> {
  const { file, position } = (await findException(sql, id)) ?? {};
  return file === undefined || position === undefined ? undefined : { file, position };
}
