import { base2Draft, base2File, type Base2File, type Base2Spec, type DraftSpec } from "./base2-file.js";
import { wholeFile } from "./file-chunks.js";
import { parseFile } from "./parse-file.js";
import { visaBase2 } from "../../../src/settlement/core/formats/visa-base2/index.js";

export const asFile = (file: Base2File | readonly Base2Spec[]) =>
  base2File("transactions" in file ? file : { transactions: file });

export const read = (file: Base2File | readonly Base2Spec[]) => parseFile(visaBase2, asFile(file));

export const one = (draft: DraftSpec = {}) => read([base2Draft(draft)]).records[0]!;

export const text = (file: Base2File | readonly Base2Spec[]) =>
  Buffer.from(wholeFile(asFile(file))).toString("latin1");
