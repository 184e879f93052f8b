import { csvHead } from "../../csv/csv-reader.js";
import type { SettlementFormat } from "../../settlement-format.js";
import { CardResponsesParser, isHeader } from "./card-responses-parser.js";

/** Weir's own format, in which an acquirer answers a charge file: docs/guide/card-files.md. */
export const cardResponses: SettlementFormat = {
  name: "card-responses",
  title: "Card responses, an acquirer's answer to a charge file",
  detect: (head) => isHeader(csvHead(head).header),
  open: () => new CardResponsesParser(),
};
