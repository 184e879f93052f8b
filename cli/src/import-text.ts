import type { Import, ImportDetails } from "@weir/sdk";
import type { CliContext } from "./context.js";
import { printFields, printTable } from "./print.js";

const shown_rejections = 20;

/** What became of an import; of an uploaded file also its run, and the first lines that were not taken. */
export function printImport(context: CliContext, done: Import, details?: ImportDetails): void {
  const percent = done.file === null ? "" : ` of ${done.file.bytes} bytes`;
  printFields(context, [
    ["import", `${done.name} (${done.id}), ${done.status}`],
    ["failure", done.failure ?? ""],
    ["run", done.file?.run ?? ""],
    ["file", done.file === null ? "" : `${done.file.bytesDone}${percent} done`],
    ["rows", String(done.rowsDone)],
    ["accepted", String(done.accepted)],
    ["duplicates", done.duplicates === 0 ? "" : `${done.duplicates} (already there, counted once)`],
    [
      "conflicts",
      done.conflicts === 0 ? "" : `${done.conflicts} (same source and id, other content: not taken)`,
    ],
    ["rejected", done.rejected === 0 ? "" : `${done.rejected} (not taken: see the lines)`],
    [
      "unmetered",
      done.unmetered === 0 ? "" : `${done.unmetered} (kept, but no meter counts them; see weir meters list)`,
    ],
  ]);
  const rejections = details?.rejections ?? [];
  if (rejections.length === 0) return;
  context.out.write("\n");
  printTable(
    context,
    ["LINE", "WHY NOT TAKEN"],
    rejections.slice(0, shown_rejections).map(({ line, reason }) => [String(line), reason]),
    "",
  );
  if (rejections.length > shown_rejections)
    context.out.write(`… and more: weir --json imports show ${done.id} names the first 200\n`);
}
