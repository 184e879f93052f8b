import { mkdir } from "node:fs/promises";
import { openColumnar } from "../../server/dist/engines/columnar/index.js";
import { createLog } from "../../server/dist/kernel/log.js";
import { answerQuestion } from "./answer-question.js";

/** Statements for a process of its own, since chDB lives on one thread of one process and one owns a folder. */
export interface ColumnarRequest {
  readonly dir: string;
  readonly statements: readonly {
    readonly sql: string;
    readonly rows?: boolean;
    readonly repetitions?: number;
  }[];
}

export interface ColumnarResult {
  /** Milliseconds to the first answer (`SELECT 1`). */
  readonly openMs: number;
  readonly statements: readonly {
    readonly ms: readonly number[];
    readonly rows: readonly Record<string, unknown>[];
  }[];
}

async function run(request: ColumnarRequest): Promise<ColumnarResult> {
  const started = performance.now();
  await mkdir(request.dir, { recursive: true });
  const columnar = await openColumnar({ dir: request.dir, log: createLog("warn") });
  await columnar.system.query("open", "SELECT 1 AS one", {}, (row) => row);
  const openMs = performance.now() - started;
  const statements = [];
  for (const { sql, rows, repetitions } of request.statements) {
    const ms: number[] = [];
    let found: Record<string, unknown>[] = [];
    for (let repetition = 0; repetition < (repetitions ?? 1); repetition += 1) {
      const begun = performance.now();
      if (rows === true) found = await columnar.system.query("bench", sql, {}, (row) => ({ ...row }));
      else await columnar.system.command("bench", sql);
      ms.push(performance.now() - begun);
    }
    statements.push({ ms, rows: found });
  }
  await columnar.close();
  return { openMs, statements };
}

answerQuestion<ColumnarRequest>(run);
