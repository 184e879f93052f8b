import type { SettlementFormat } from "../../settlement-format.js";
import { IpmParser } from "./ipm-parser.js";
import { beginsWithMessage } from "./message-framing.js";

export { IpmMessage, pdsName } from "./ipm-message.js";
export { IpmParser } from "./ipm-parser.js";

export const mastercardIpm: SettlementFormat = {
  name: "mastercard-ipm",
  title: "Mastercard IPM, clearing",
  scheme: "mastercard",
  detect: (head) => beginsWithMessage(head),
  open: () => new IpmParser(),
};
