import { inChunks } from "./file-chunks.js";
import { SeededRandom } from "./seeded-random.js";

/** One transaction of a batch-booked entry. Amounts are unsigned minor units. */
export interface CamtTransaction {
  readonly amount?: bigint | undefined;
  readonly currency?: string;
  readonly credit?: boolean;
  readonly endToEnd?: string;
  readonly instruction?: string;
  readonly structured?: string;
  readonly text?: string;
  readonly name?: string;
  readonly iban?: string;
  readonly reference?: string | undefined;
}

export interface CamtEntry extends CamtTransaction {
  readonly amount: bigint;
  readonly credit: boolean;
  readonly status?: string;
  readonly bookingDate?: string;
  readonly valueDate?: string;
  readonly reversal?: boolean;
  /** One transaction with the entry's own facts when left out; none when empty. */
  readonly transactions?: readonly CamtTransaction[];
  readonly batch?: { readonly transactions: number; readonly total?: bigint };
}

export interface CamtStatement {
  readonly id: string;
  readonly account: string;
  readonly currency: string;
  readonly sequence?: number;
  readonly opening?: bigint;
  /** What the entries make of the opening balance, when left out. */
  readonly closing?: bigint;
  /** Asked twice: a statement's closing balance stands before its entries. */
  readonly entries: () => Iterable<CamtEntry>;
  /** Written before the entries, such as a TxsSummry. */
  readonly extra?: string;
}

export interface CamtFile {
  readonly message?: "camt.053" | "camt.054";
  readonly version?: number;
  readonly id?: string;
  readonly prefix?: string;
  readonly encoding?: string;
  readonly statements: readonly CamtStatement[];
}

/** Writes camt.053 or camt.054 as the versions 2 to 8 have it, chunk by chunk. */
export function camtFile(file: CamtFile): Generator<Uint8Array> {
  return inChunks(piecesOf(file));
}

/** Entries as a shop has them: transfers in with a reference, some out, by a seed. */
export function* randomEntries(seed: number, count: number): Generator<CamtEntry> {
  const random = new SeededRandom(seed);
  for (let index = 0; index < count; index += 1) {
    const amount = BigInt(1 + random.below(500_000));
    yield {
      amount,
      credit: random.below(10) > 0,
      endToEnd: `E2E-${seed}-${index}`,
      structured: `RF${10 + random.below(80)}${random.digits(12)}`,
      name: `Debtor ${index} & Söhne`,
      iban: `NL${10 + random.below(80)}ABNA0${random.digits(9)}`,
      reference: `BANK${seed}/${index}`,
    };
  }
}

export function randomStatement(seed: number, entries: number): CamtStatement {
  return {
    id: `STMT-${seed}`,
    account: "NL91ABNA0417164300",
    currency: "EUR",
    sequence: seed,
    opening: 1_000_000n,
    entries: () => randomEntries(seed, entries),
  };
}

function* piecesOf({
  message = "camt.053",
  version = 8,
  id = "MSG-1",
  prefix = "",
  encoding = "UTF-8",
  statements,
}: CamtFile): Generator<string | Uint8Array> {
  const byte = encoding.toUpperCase() === "UTF-8" ? undefined : "latin1";
  const encoded = (text: string) => (byte === undefined ? text : Buffer.from(text, byte));
  const tag = (text: string) => (prefix === "" ? text : text.replace(/<(\/?)(?=[A-Za-z])/g, `<$1${prefix}:`));
  const [name, statementName] =
    message === "camt.053" ? ["BkToCstmrStmt", "Stmt"] : ["BkToCstmrDbtCdtNtfctn", "Ntfctn"];
  const namespace = `urn:iso:std:iso:20022:tech:xsd:${message}.001.${String(version).padStart(2, "0")}`;
  const xmlns = prefix === "" ? `xmlns="${namespace}"` : `xmlns:${prefix}="${namespace}"`;
  yield encoded(`<?xml version="1.0" encoding="${encoding}"?>\n`);
  yield encoded(tag(`<Document ${xmlns}>\n<${name}>\n`));
  yield encoded(tag(`<GrpHdr><MsgId>${id}</MsgId><CreDtTm>2026-03-02T06:00:00+01:00</CreDtTm></GrpHdr>\n`));
  for (const statement of statements) {
    yield encoded(tag(`<${statementName}>\n${statementHead(statement, message)}`));
    for (const entry of statement.entries()) yield encoded(tag(entryText(entry, statement, version)));
    yield encoded(tag(`</${statementName}>\n`));
  }
  yield encoded(tag(`</${name}>\n</Document>\n`));
}

function statementHead(statement: CamtStatement, message: string): string {
  const { id, account, currency, sequence, opening = 0n, extra = "" } = statement;
  const number = sequence === undefined ? "" : `<ElctrncSeqNb>${sequence}</ElctrncSeqNb>`;
  const head = `<Id>${id}</Id>${number}<CreDtTm>2026-03-02T06:00:00+01:00</CreDtTm><Acct><Id><IBAN>${account}</IBAN></Id><Ccy>${currency}</Ccy></Acct>\n`;
  if (message !== "camt.053") return `${head}${extra}`;
  let closing = opening;
  if (statement.closing === undefined) {
    for (const { amount, credit, status = "BOOK" } of statement.entries()) {
      if (status === "BOOK") closing += credit ? amount : -amount;
    }
  } else closing = statement.closing;
  return `${head}${balance("OPBD", opening, currency)}${balance("CLBD", closing, currency)}${extra}`;
}

function balance(code: string, minor: bigint, currency: string): string {
  const direction = minor < 0n ? "DBIT" : "CRDT";
  const amount = majorUnits(minor < 0n ? -minor : minor, currency);
  return `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp><Amt Ccy="${currency}">${amount}</Amt><CdtDbtInd>${direction}</CdtDbtInd><Dt><Dt>2026-03-01</Dt></Dt></Bal>\n`;
}

function entryText(entry: CamtEntry, { currency: accountCurrency }: CamtStatement, version: number): string {
  const {
    status = "BOOK",
    bookingDate = "2026-03-01",
    valueDate = "2026-03-02",
    reversal,
    reference,
  } = entry;
  const currency = entry.currency ?? accountCurrency;
  const code = version >= 8 ? `<Sts><Cd>${status}</Cd></Sts>` : `<Sts>${status}</Sts>`;
  const transactions = entry.transactions ?? [{ ...entry, amount: undefined, reference: undefined }];
  const details = transactions.map((one) => transactionText(one, entry.credit, currency, version)).join("");
  const { batch } = entry;
  const total =
    batch?.total === undefined
      ? ""
      : `<TtlAmt Ccy="${currency}">${majorUnits(batch.total, currency)}</TtlAmt>`;
  const batchText =
    batch === undefined
      ? ""
      : `<Btch><PmtInfId>BATCH-1</PmtInfId><NbOfTxs>${batch.transactions}</NbOfTxs>${total}</Btch>`;
  return [
    `<Ntry><Amt Ccy="${currency}">${majorUnits(entry.amount, currency)}</Amt>`,
    `<CdtDbtInd>${entry.credit ? "CRDT" : "DBIT"}</CdtDbtInd>`,
    reversal === undefined ? "" : `<RvslInd>${reversal}</RvslInd>`,
    code,
    `<BookgDt><Dt>${bookingDate}</Dt></BookgDt><ValDt><Dt>${valueDate}</Dt></ValDt>`,
    reference === undefined ? "" : `<AcctSvcrRef>${reference}</AcctSvcrRef>`,
    `<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>`,
    details === "" ? "" : `<NtryDtls>${batchText}${details}</NtryDtls>`,
    `</Ntry>\n`,
  ].join("");
}

function transactionText(
  one: CamtTransaction,
  credit: boolean,
  entryCurrency: string,
  version: number,
): string {
  const currency = one.currency ?? entryCurrency;
  const amount =
    one.amount === undefined ? "" : `<Amt Ccy="${currency}">${majorUnits(one.amount, currency)}</Amt>`;
  const direction = (one.credit ?? credit) ? "CRDT" : "DBIT";
  const amounts =
    amount === ""
      ? ""
      : version >= 4
        ? `${amount}<CdtDbtInd>${direction}</CdtDbtInd>`
        : `<AmtDtls><TxAmt>${amount}</TxAmt></AmtDtls>`;
  const role = credit ? "Dbtr" : "Cdtr";
  const named = one.name === undefined ? "" : `<Nm>${escaped(one.name)}</Nm>`;
  const party = version >= 8 ? `<${role}><Pty>${named}</Pty></${role}>` : `<${role}>${named}</${role}>`;
  const account =
    one.iban === undefined ? "" : `<${role}Acct><Id><IBAN>${one.iban}</IBAN></Id></${role}Acct>`;
  const remittance = [
    one.text === undefined ? "" : `<Ustrd>${escaped(one.text)}</Ustrd>`,
    one.structured === undefined
      ? ""
      : `<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>${one.structured}</Ref></CdtrRefInf></Strd>`,
  ].join("");
  return [
    "<TxDtls><Refs>",
    one.reference === undefined ? "" : `<AcctSvcrRef>${one.reference}</AcctSvcrRef>`,
    one.instruction === undefined ? "" : `<InstrId>${one.instruction}</InstrId>`,
    `<EndToEndId>${one.endToEnd ?? "NOTPROVIDED"}</EndToEndId></Refs>`,
    amounts,
    `<RltdPties>${party}${account}</RltdPties>`,
    remittance === "" ? "" : `<RmtInf>${remittance}</RmtInf>`,
    "</TxDtls>",
  ].join("");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

const exponents: Readonly<Record<string, number>> = { JPY: 0, KWD: 3 };

/** 1250n EUR → "12.50". */
export function majorUnits(minor: bigint, currency: string): string {
  const exponent = exponents[currency] ?? 2;
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, "0");
  const point = digits.length - exponent;
  const size = exponent === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return minor < 0n ? `-${size}` : size;
}
