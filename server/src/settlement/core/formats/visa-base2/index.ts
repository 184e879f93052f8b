import type { SettlementFormat } from "../../settlement-format.js";
import { Base2Parser } from "./base2-parser.js";
import { tcr_characters } from "./tcr-framing.js";

/** Transaction codes that a file, or an extract of one, begins with. */
const first_codes = /^(?:90|0[1-7]|1[05-7]|20|2[5-7]|3[2-7]|4[0568]|5[0-7]|91|92)/;

export const visaBase2: SettlementFormat = {
  name: "visa-base2",
  title: "Visa BASE II, clearing",
  scheme: "visa",
  detect: (head) => {
    const start = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString("latin1");
    const newline = start.indexOf("\n");
    // A line that is far from a record's length is something else; one that is near is refused for it, with its number.
    const near = newline < 0 ? start.length >= tcr_characters / 2 : Math.abs(newline - tcr_characters) <= 40;
    return near && first_codes.test(start) && /^\d{2}[0-9A-Z ][0-9A-Z][\x20-\x7e]{76}/.test(start);
  },
  open: (options) => new Base2Parser(options),
};
