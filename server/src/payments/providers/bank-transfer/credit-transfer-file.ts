import { exponentOf, type Currency } from "../../../kernel/currency.js";
import { Decimal } from "../../../kernel/decimal.js";
import { formatInstant } from "../../../kernel/instant.js";
import { toDecimal, type Money } from "../../../kernel/money.js";
import type { ClosedBatch, OutgoingItem } from "../../outgoing.js";
import { bankAccountOf } from "./bank-transfer-fields.js";
import { sepaText } from "./sepa-text.js";

const name_length_max = 70;
const text_length_max = 140;
/** Transfers in euros are SEPA's own. */
const sepa_currency = "EUR";

/**
 * An ISO 20022 pain.001.001.09: one instruction for each currency, since items come in the order of theirs, and one transfer for
 * each item, booked one by one so that the statement shows each. Texts have only characters that need no escaping.
 */
export async function* creditTransferFile(
  batch: ClosedBatch,
  items: AsyncIterable<OutgoingItem>,
): AsyncGenerator<string> {
  const message = messageId(batch);
  const { holder } = bankAccountOf(batch.settings);
  const sum = Decimal.sum(batch.totals.map(toDecimal));
  yield `<?xml version="1.0" encoding="UTF-8"?>\n`;
  yield `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>\n`;
  yield `<GrpHdr><MsgId>${message}</MsgId><CreDtTm>${formatInstant(batch.closedAt)}</CreDtTm>`;
  yield `<NbOfTxs>${batch.items}</NbOfTxs><CtrlSum>${sum.toString()}</CtrlSum>`;
  yield `<InitgPty><Nm>${sepaText(holder, name_length_max)}</Nm></InitgPty></GrpHdr>\n`;
  let current: Currency | undefined;
  for await (const item of items) {
    const { currency } = item.amount;
    if (currency !== current) {
      if (current !== undefined) yield `</PmtInf>\n`;
      yield instruction(batch, message, currency);
      current = currency;
    }
    yield transfer(item);
  }
  yield `</PmtInf>\n</CstmrCdtTrfInitn></Document>\n`;
}

/** At most 35 characters, as identifiers are: the batch's id without its dash. */
function messageId({ id }: ClosedBatch): string {
  return id.replace("_", "").toUpperCase();
}

function instruction(
  { totals, settings, closedAt }: ClosedBatch,
  message: string,
  currency: Currency,
): string {
  const { holder, iban, bic } = bankAccountOf(settings);
  const total = totals.find((one) => one.currency === currency);
  if (total === undefined) throw new RangeError(`the batch has a transfer in ${currency} and no total of it`);
  const isSepa = currency === sepa_currency;
  const agent = bic === undefined ? "<Othr><Id>NOTPROVIDED</Id></Othr>" : `<BICFI>${bic}</BICFI>`;
  return [
    `<PmtInf><PmtInfId>${message}-${currency}</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>false</BtchBookg>`,
    `<NbOfTxs>${total.items}</NbOfTxs><CtrlSum>${amountText(total)}</CtrlSum>`,
    isSepa ? "<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>" : "",
    `<ReqdExctnDt><Dt>${formatInstant(closedAt).slice(0, 10)}</Dt></ReqdExctnDt>`,
    `<Dbtr><Nm>${sepaText(holder, name_length_max)}</Nm></Dbtr><DbtrAcct><Id><IBAN>${iban}</IBAN></Id></DbtrAcct>`,
    `<DbtrAgt><FinInstnId>${agent}</FinInstnId></DbtrAgt>`,
    isSepa ? "<ChrgBr>SLEV</ChrgBr>" : "",
    "\n",
  ].join("");
}

function transfer({ reference, amount, details }: OutgoingItem): string {
  const { name = "", iban = "", text = "" } = details;
  return [
    `<CdtTrfTxInf><PmtId><EndToEndId>${reference}</EndToEndId></PmtId>`,
    `<Amt><InstdAmt Ccy="${amount.currency}">${amountText(amount)}</InstdAmt></Amt>`,
    `<Cdtr><Nm>${sepaText(name, name_length_max)}</Nm></Cdtr><CdtrAcct><Id><IBAN>${iban}</IBAN></Id></CdtrAcct>`,
    `<RmtInf><Ustrd>${sepaText(text, text_length_max)}</Ustrd></RmtInf></CdtTrfTxInf>\n`,
  ].join("");
}

function amountText(amount: Money): string {
  return toDecimal(amount).toFixed(exponentOf(amount.currency));
}
