import { readCases, UnreadableCases } from "./rating-case.js";
import { reportOf, runCases } from "./run-cases.js";
import { runSettlementCases, settlementReport } from "./settlement-cases.js";

// npm run cases -- rating [FILE] | settlement [FOLDER]; scripts/cases.mjs resolves the path.
const [kind = "", given = ""] = process.argv.slice(2);

const runners: Readonly<Record<string, () => Promise<{ report: string; failed: boolean }>>> = {
  rating: async () => {
    const results = await runCases(readCases(given));
    return { report: reportOf(results), failed: results.some((result) => result.kind === "failed") };
  },
  settlement: () => {
    const results = runSettlementCases(given);
    return Promise.resolve({
      report: settlementReport(results),
      failed: results.some((result) => result.kind === "failed"),
    });
  },
};

try {
  const runner = Object.hasOwn(runners, kind) ? runners[kind] : undefined;
  if (runner === undefined) throw new UnreadableCases(`There are no cases of the kind "${kind}"`);
  const { report, failed } = await runner();
  console.log(report);
  process.exitCode = failed ? 1 : 0;
} catch (error) {
  if (!(error instanceof UnreadableCases)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
