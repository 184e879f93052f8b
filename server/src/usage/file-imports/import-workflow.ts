import type { FilePosition } from "@weir/sdk/files";
import type { RetryPolicy, Workflows } from "../../engines/workflow/index.js";
import type { ImportId } from "../../kernel/ids.js";
import type { Wakes } from "../../time/index.js";
import { import_kind, runOf, type FileImports } from "./file-imports.js";
import type { TakenPiece } from "./import-piece.js";

// Outlasts an outage of most of a day: a full disk, or a stream that is behind.
const retry: RetryPolicy = { attemptsMax: 1_000, wait_ms: 500, wait_ms_max: 60_000 };

/** Takes an uploaded file in, piece by piece; a piece's place and counts are in its step, so a run goes on behind the last. */
export function registerFileImports(
  imports: FileImports,
  { workflows, wakes }: { readonly workflows: Workflows; readonly wakes: Wakes },
): void {
  workflows.register({
    kind: import_kind,
    version: 1,
    queue: import_kind,
    retry,
    async run(context, { import: given }: { import: string }) {
      const { organization } = context;
      const id = given as ImportId;
      let from: FilePosition | undefined;
      let listed = 0;
      for (;;) {
        const piece = await context.step("take a piece", async () =>
          pieceJson(await imports.take(organization, id, from, listed)),
        );
        await context.transaction("record it", (sql) => imports.record(sql, organization, id, piece));
        from = piece.to;
        listed += piece.rejections.length;
        if (!piece.ended) continue;
        await context.transaction("end", (sql) => imports.end(sql, organization, id, piece.failure));
        await context.step("delete the file", () => imports.deleteFile(organization, id));
        return { rows: from.row, failure: piece.failure };
      }
    },
  });
  wakes.register({
    kind: import_kind,
    act: (organization, { key }) => ({
      start: { kind: import_kind, id: runOf(organization, key as ImportId), input: { import: key } },
    }),
  });
}

/** Spread, since an interface is no JSON value to the compiler. */
function pieceJson({ to, rejections, ...rest }: TakenPiece) {
  return { ...rest, to: { ...to }, rejections: rejections.map((each) => ({ ...each })) };
}
