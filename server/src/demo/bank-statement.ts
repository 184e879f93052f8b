import { formatInstant, type Instant } from "../kernel/instant.js";
import { exponentOf, type Currency } from "../kernel/currency.js";
import { toDecimal } from "../kernel/money.js";

/** A line of a statement. Texts need no escaping: the demo makes them up. */
export interface StatementLine {
  readonly minor: bigint;
  readonly direction: "in" | "out";
  readonly name: string;
  readonly iban: string;
  /** What the payer wrote; `reference` when it is a creditor reference (ISO 11649). */
  readonly remittance: { readonly reference: string } | { readonly text: string };
}

export interface BankStatement {
  readonly id: string;
  readonly iban: string;
  readonly currency: Currency;
  readonly at: Instant;
  readonly opening: bigint;
  readonly lines: readonly StatementLine[];
}

/** A bank's statement as camt.053.001.08 has it; its balances foot. */
export function bankStatement({ id, iban, currency, at, opening, lines }: BankStatement): string {
  const on = formatInstant(at).slice(0, 10);
  const amount = (minor: bigint) =>
    `<Amt Ccy="${currency}">${toDecimal({ currency, minor }).toFixed(exponentOf(currency))}</Amt>`;
  const balance = (code: string, minor: bigint) =>
    `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp>${amount(minor)}<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>${on}</Dt></Dt></Bal>`;
  const closing = lines.reduce(
    (sum, { minor, direction }) => sum + (direction === "in" ? minor : -minor),
    opening,
  );
  const entries = lines.map(({ minor, direction, ...line }, index) => {
    const party = direction === "in" ? "Dbtr" : "Cdtr";
    const code = direction === "in" ? "CRDT" : "DBIT";
    return [
      `<Ntry>${amount(minor)}<CdtDbtInd>${code}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>`,
      `<BookgDt><Dt>${on}</Dt></BookgDt><ValDt><Dt>${on}</Dt></ValDt><AcctSvcrRef>${id}-${index + 1}</AcctSvcrRef>`,
      `<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>`,
      `<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>`,
      `<RltdPties><${party}><Pty><Nm>${line.name}</Nm></Pty></${party}><${party}Acct><Id><IBAN>${line.iban}</IBAN></Id></${party}Acct></RltdPties>`,
      `<RmtInf>${remittanceOf(line)}</RmtInf></TxDtls></NtryDtls></Ntry>`,
    ].join("");
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>${id}</MsgId><CreDtTm>${formatInstant(at)}</CreDtTm></GrpHdr>
<Stmt><Id>${id}</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>${formatInstant(at)}</CreDtTm><Acct><Id><IBAN>${iban}</IBAN></Id><Ccy>${currency}</Ccy></Acct>
${balance("OPBD", opening)}${balance("CLBD", closing)}
${entries.join("\n")}
</Stmt></BkToCstmrStmt></Document>
`;
}

function remittanceOf({ remittance }: Pick<StatementLine, "remittance">): string {
  if ("text" in remittance) return `<Ustrd>${remittance.text}</Ustrd>`;
  return `<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>${remittance.reference}</Ref></CdtrRefInf></Strd>`;
}
