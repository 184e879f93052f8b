import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readCases } from "./rating-case.js";
import { reportOf, runCases } from "./run-cases.js";

// Cases taken from other systems' tests; they lie beside the checkout and are not part of the repository.
const file = fileURLToPath(new URL("../../../../shared/data/billing/rating-cases.json", import.meta.url));

if (!existsSync(file)) {
  console.warn(`SKIPPED: the rating cases of other systems are not at ${file}`);
  test.skip("rating cases: the file is not beside this checkout", () => undefined);
} else {
  test("every rating case of other systems comes to what it came to there", async () => {
    const cases = readCases(file);
    expect(cases.length).toBeGreaterThanOrEqual(103);
    expect(reportOf(await runCases(cases))).toBe(`${cases.length} passed, 0 failed, 0 skipped`);
  });
}
