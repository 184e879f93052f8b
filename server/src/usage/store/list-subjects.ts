import type { TenantDoor } from "../../engines/columnar/index.js";
import type { Instant } from "../../kernel/instant.js";

/** A subject that events were reported for. */
export interface SubjectRow {
  readonly subject: string;
  readonly lastBucket: Instant;
}

/** Subjects with metered usage, in order, a page at a time. */
export async function listSubjects(
  door: TenantDoor,
  page: { limit: number; after?: string },
): Promise<SubjectRow[]> {
  return door.query(
    "list subjects",
    `SELECT subject, toString(max(bucket)) AS last_bucket FROM weir.usage_15m
     WHERE organization = {organization:String} AND subject > {after:String}
     GROUP BY subject ORDER BY subject LIMIT {limit:UInt32}`,
    { after: page.after ?? "", limit: page.limit },
    (row) => ({
      subject: String(row["subject"]),
      lastBucket: (Number(row["last_bucket"]) * 900_000_000) as Instant,
    }),
  );
}
