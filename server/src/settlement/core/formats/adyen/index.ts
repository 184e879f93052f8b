import { columnName } from "../../csv/csv-columns.js";
import { csvHead } from "../../csv/csv-reader.js";
import type { SettlementFormat } from "../../settlement-format.js";
import { AdyenParser, required_columns } from "./adyen-parser.js";

const known_columns = required_columns.map(columnName);
/** A header that lacks a few of them is still Adyen's, and is refused for what it lacks. */
const missing_max = 3;

export const adyenSettlementDetails: SettlementFormat = {
  name: "adyen-settlement-details",
  title: "Adyen, settlement details report",
  detect: (head) => {
    const names = new Set(csvHead(head).header.map(columnName));
    const missing = known_columns.filter((name) => !names.has(name)).length;
    return missing <= missing_max;
  },
  open: () => new AdyenParser(),
};
