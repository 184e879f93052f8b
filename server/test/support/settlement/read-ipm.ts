import { ipm_institution, ipmFile, presentment, type IpmFile, type IpmMessageSpec } from "./ipm-file.js";
import { parseFile, refusalOf } from "./parse-file.js";
import { mastercardIpm } from "../../../src/settlement/core/formats/mastercard-ipm/index.js";

export const read = (file: IpmFile | readonly IpmMessageSpec[]) =>
  parseFile(mastercardIpm, ipmFile("messages" in file ? file : { messages: file }));

export const refused = (file: IpmFile | readonly IpmMessageSpec[]) =>
  refusalOf(mastercardIpm, ipmFile("messages" in file ? file : { messages: file }));

export const one = (message: IpmMessageSpec) => read([message]).records[0]!;

export const chargeback: IpmMessageSpec = presentment({
  type: "1442",
  function: "450",
  elements: {
    25: "4837",
    30: "000000012345000000012345",
    93: ipm_institution,
    94: "00000005678",
    95: "0000000001",
  },
});

export const fee = (more: Readonly<Record<number, string>> = {}): IpmMessageSpec => ({
  type: "1740",
  function: "700",
  elements: {
    3: "190000",
    4: "000000000250",
    25: "7627",
    33: "012345",
    49: "840",
    93: ipm_institution,
    94: "00000005678",
    ...more,
  },
  pds: { 137: "00000000000000000001", 148: "8402" },
});
