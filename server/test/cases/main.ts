import { readCases, UnreadableCases } from "./rating-case.js";
import { reportOf, runCases } from "./run-cases.js";

// npm run cases -- rating [FILE]; scripts/cases.mjs resolves the file.
const [file = ""] = process.argv.slice(2);
try {
  const results = await runCases(readCases(file));
  console.log(reportOf(results));
  process.exitCode = results.some((result) => result.kind === "failed") ? 1 : 0;
} catch (error) {
  if (!(error instanceof UnreadableCases)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
