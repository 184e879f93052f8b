import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId, ProviderAccountId, SettlementFileId } from "../../kernel/ids.js";

export interface SeriesOfFiles {
  readonly account: ProviderAccountId;
  readonly format: string;
  readonly series: string;
}

/** Whether a number is there, and its neighbours in the series. */
export async function findNeighbours(
  sql: Sql,
  { account, format, series }: SeriesOfFiles,
  number: bigint,
): Promise<{
  readonly file: SettlementFileId | undefined;
  readonly previous: bigint | undefined;
  readonly next: bigint | undefined;
}> {
  const text = number.toString();
  const [row] = await sql<{ file: SettlementFileId | null; previous: string | null; next: string | null }[]>`
    SELECT (SELECT file FROM settlement_sequences
            WHERE account = ${account} AND format = ${format} AND series = ${series} AND number = ${text}::text::numeric) AS file,
           (SELECT max(number) FROM settlement_sequences
            WHERE account = ${account} AND format = ${format} AND series = ${series} AND number < ${text}::text::numeric)::text AS previous,
           (SELECT min(number) FROM settlement_sequences
            WHERE account = ${account} AND format = ${format} AND series = ${series} AND number > ${text}::text::numeric)::text AS next`;
  const bigintOf = (value: string | null | undefined) => (value == null ? undefined : BigInt(value));
  return { file: row?.file ?? undefined, previous: bigintOf(row?.previous), next: bigintOf(row?.next) };
}

export async function insertSequence(
  sql: Sql,
  organization: OrganizationId,
  { account, format, series }: SeriesOfFiles,
  number: bigint,
  file: SettlementFileId,
): Promise<void> {
  await sql`
    INSERT INTO settlement_sequences (organization, account, format, series, number, file)
    VALUES (${organization}, ${account}, ${format}, ${series}, ${number.toString()}::text::numeric, ${file})
    ON CONFLICT DO NOTHING`;
}
