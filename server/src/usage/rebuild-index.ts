import type { Columnar } from "../engines/columnar/index.js";
import { minute, type Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import type { Log } from "../kernel/log.js";
import { contentFingerprint } from "./core/index.js";
import type { IdentityIndex } from "./identity-index/index.js";

export interface RebuildOptions {
  readonly index: IdentityIndex;
  readonly columnar: Columnar;
  readonly dedupWindow: number;
  readonly log: Log;
}

interface IndexedKey {
  readonly key: string;
  readonly fingerprint: string;
  readonly expiresAt: Instant;
}

const page_rows = 50_000;

/** Fills a lost index from usage_events: the index is a cache of it. Runs before anything is taken in. */
export async function rebuildIndex(options: RebuildOptions): Promise<void> {
  const { index, columnar, log } = options;
  const stored = await columnar.system.query(
    "any event",
    "SELECT 1 AS one FROM weir.usage_events LIMIT 1",
    {},
    () => true,
  );
  if (stored.length > 0)
    log.warn("the identity index was lost or damaged; building it anew from the stored events");
  await index.rebuildFrom(pagesOf(options));
  if (stored.length > 0) log.info("the identity index is built", { ...index.stats() });
}

/** Every stored identity, of all organizations: keys are hashes that say nothing of whose they are. */
async function* pagesOf({ columnar, dedupWindow }: RebuildOptions): AsyncIterable<IndexedKey[]> {
  let after = "";
  for (;;) {
    const page = await columnar.system.query(
      "identities",
      `SELECT hex(key) AS key_hex, type, subject, data,
              toString(greatest(toUnixTimestamp64Micro(time), toUnixTimestamp64Micro(received_at))) AS lives_from
       FROM weir.usage_events
       WHERE revision = 0 AND ({after:String} = '' OR key > toFixedString(unhex({after:String}), 16))
       ORDER BY key LIMIT {limit:UInt32}`,
      { after, limit: page_rows },
      (row): IndexedKey & { hex: string } => {
        const dataText = String(row["data"]);
        const data = dataText === "" ? undefined : (JSON.parse(dataText) as JsonValue);
        const hex = String(row["key_hex"]);
        return {
          hex,
          key: Buffer.from(hex, "hex").toString("latin1"),
          fingerprint: contentFingerprint(String(row["type"]), String(row["subject"]), data) ?? "",
          expiresAt: (Number(row["lives_from"]) + dedupWindow + 5 * minute) as Instant,
        };
      },
    );
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (page.length < page_rows || last === undefined) return;
    after = last.hex;
  }
}
