import { detection_bytes, type SettlementFormat } from "../../settlement-format.js";
import { CamtParser } from "./camt-parser.js";
import { notification_message, statement_message, type MessageKind } from "./message-structure.js";

/** Whatever the version: an unknown one is refused by the parser, which can say so. */
function formatOf(kind: MessageKind): SettlementFormat {
  const named = `urn:iso:std:iso:20022:tech:xsd:${kind.format}.`;
  return {
    name: kind.format,
    title: kind.title,
    detect: (head) => {
      const start = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, detection_bytes));
      const encoding = head[0] === 0xff && head[1] === 0xfe ? "utf16le" : "latin1";
      return start.toString(encoding).includes(named);
    },
    open: () => new CamtParser(kind),
  };
}

export const camt053 = formatOf(statement_message);
export const camt054 = formatOf(notification_message);
