import { FileRefused } from "./file-refused.js";
import { adyenSettlementDetails } from "./formats/adyen/index.js";
import { cardResponses } from "./formats/card-responses/index.js";
import { camt053, camt054 } from "./formats/camt/index.js";
import { mastercardIpm } from "./formats/mastercard-ipm/index.js";
import { stripeBalanceChange, stripePayoutReconciliation } from "./formats/stripe/index.js";
import { visaBase2 } from "./formats/visa-base2/index.js";
import type { FormatName, SettlementFormat } from "./settlement-format.js";

/** Every format there is. */
export const settlementFormats: readonly SettlementFormat[] = [
  camt053,
  camt054,
  stripeBalanceChange,
  stripePayoutReconciliation,
  mastercardIpm,
  adyenSettlementDetails,
  visaBase2,
  cardResponses,
];

export function findFormat(name: string): SettlementFormat | undefined {
  return settlementFormats.find((format) => format.name === name);
}

const names = (formats: readonly { readonly name: FormatName }[]) =>
  formats.map(({ name }) => name).join(", ");

/**
 * The format of a file, by its content.
 *
 * @param head      the file's first `detection_bytes`, or all of it when it is shorter
 * @param fileName  breaks ties and names the file in a refusal
 * @throws FileRefused when it is none of the known formats, or could be several
 */
export function detectFormat(
  head: Uint8Array,
  fileName: string,
  formats: readonly SettlementFormat[] = settlementFormats,
): SettlementFormat {
  if (head.length === 0) {
    throw new FileRefused({ detail: `${fileName} is empty`, advice: "Fetch the file again from its sender" });
  }
  const found = formats.filter((format) => format.detect(head, fileName));
  const [only, ...others] = found;
  if (only === undefined) {
    throw new FileRefused({
      detail: `${fileName} is of no known format`,
      advice: `Known are ${names(formats)}`,
    });
  }
  if (others.length > 0) {
    throw new FileRefused({
      detail: `${fileName} could be each of ${names(found)}`,
      advice: "Name its format when you import it",
    });
  }
  return only;
}
