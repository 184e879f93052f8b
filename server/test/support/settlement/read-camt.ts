import { camtFile, type CamtEntry, type CamtFile } from "./camt-file.js";
import { wholeFile } from "./file-chunks.js";
import { parseFile } from "./parse-file.js";
import { camt053, camt054 } from "../../../src/settlement/core/formats/camt/index.js";

export const account = "NL91ABNA0417164300";

export function statementWith(
  entries: readonly CamtEntry[],
  more: Partial<CamtFile["statements"][number]> = {},
): CamtFile {
  return {
    statements: [
      { id: "S-1", account, currency: "EUR", sequence: 7, opening: 10_000n, entries: () => entries, ...more },
    ],
  };
}

export const read = (file: CamtFile) =>
  parseFile(file.message === "camt.054" ? camt054 : camt053, camtFile(file));

export const text = (file: CamtFile) => Buffer.from(wholeFile(camtFile(file))).toString();

export const credit: CamtEntry = { amount: 1_250n, credit: true, endToEnd: "inv_1", reference: "B1" };
