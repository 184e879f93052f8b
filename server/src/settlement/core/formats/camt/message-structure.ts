import {
  addScope,
  amount,
  count,
  date,
  foreignAmount,
  joined,
  makeNode,
  oneOf,
  text,
  time,
  type ElementNode,
  type Scope,
} from "./elements.js";

/** The two messages that are read, and what their versions call things. */
export interface MessageKind {
  readonly format: "camt.053" | "camt.054";
  readonly title: string;
  /** The message's element below Document. */
  readonly message: string;
  readonly statement: string;
  readonly hasBalances: boolean;
}

export const statement_message: MessageKind = {
  format: "camt.053",
  title: "ISO 20022 camt.053, a bank's statement",
  message: "BkToCstmrStmt",
  statement: "Stmt",
  hasBalances: true,
};

export const notification_message: MessageKind = {
  format: "camt.054",
  title: "ISO 20022 camt.054, a bank's notification of debits and credits",
  message: "BkToCstmrDbtCdtNtfctn",
  statement: "Ntfctn",
  hasBalances: false,
};

const direction = oneOf("CRDT", "DBIT");
const party = (role: string) => ({
  // Until version 7 a party is named directly, from version 8 below Pty.
  [`RltdPties/${role}/Nm`]: text,
  [`RltdPties/${role}/Pty/Nm`]: text,
});

const header: Scope = {
  name: "header",
  fields: { MsgId: text, CreDtTm: time, "MsgPgntn/PgNb": count, "MsgPgntn/LastPgInd": text },
};

const statementFields = {
  Id: text,
  ElctrncSeqNb: count,
  LglSeqNb: count,
  CreDtTm: time,
  "FrToDt/FrDtTm": text,
  "StmtPgntn/PgNb": count,
  "StmtPgntn/LastPgInd": text,
  "Acct/Id/IBAN": text,
  "Acct/Id/Othr/Id": text,
  "Acct/Ccy": text,
};

const balance: Scope = {
  name: "balance",
  fields: {
    "Tp/CdOrPrtry/Cd": text,
    "Tp/CdOrPrtry/Prtry": text,
    Amt: amount,
    CdtDbtInd: direction,
    "Dt/Dt": date,
    "Dt/DtTm": time,
  },
};

const summary: Scope = {
  name: "summary",
  fields: {
    "TtlNtries/NbOfNtries": count,
    "TtlNtries/Sum": text,
    "TtlCdtNtries/NbOfNtries": count,
    "TtlCdtNtries/Sum": text,
    "TtlDbtNtries/NbOfNtries": count,
    "TtlDbtNtries/Sum": text,
  },
};

const entry: Scope = {
  name: "entry",
  // Money that stands in an element of another name would be lost silently; so what an entry may hold is a list.
  children: (
    "NtryRef Amt CdtDbtInd RvslInd Sts BookgDt ValDt AcctSvcrRef Avlbty BkTxCd ComssnWvrInd AddtlInfInd AmtDtls " +
    "Chrgs TechInptChanl Intrst CardTx NtryDtls AddtlNtryInf"
  ).split(" "),
  fields: {
    NtryRef: text,
    Amt: amount,
    CdtDbtInd: direction,
    RvslInd: oneOf("true", "false", "1", "0"),
    // A code until version 7, from version 8 an element with one.
    Sts: text,
    "Sts/Cd": text,
    "Sts/Prtry": text,
    "BookgDt/Dt": date,
    "BookgDt/DtTm": time,
    "ValDt/Dt": date,
    "ValDt/DtTm": time,
    AcctSvcrRef: text,
    "BkTxCd/Domn/Cd": text,
    "BkTxCd/Domn/Fmly/Cd": text,
    "BkTxCd/Domn/Fmly/SubFmlyCd": text,
    "BkTxCd/Prtry/Cd": text,
    AddtlNtryInf: text,
  },
};

const batch: Scope = {
  name: "batch",
  fields: { MsgId: text, PmtInfId: text, NbOfTxs: count, TtlAmt: amount, CdtDbtInd: direction },
};

const details: Scope = {
  name: "details",
  fields: {
    "Refs/MsgId": text,
    "Refs/AcctSvcrRef": text,
    "Refs/PmtInfId": text,
    "Refs/InstrId": text,
    "Refs/EndToEndId": text,
    "Refs/TxId": text,
    "Refs/MndtId": text,
    // From version 4 on; before, the amount stands in AmtDtls only.
    Amt: foreignAmount,
    CdtDbtInd: direction,
    "AmtDtls/TxAmt/Amt": foreignAmount,
    "AmtDtls/InstdAmt/Amt": foreignAmount,
    ...party("Dbtr"),
    ...party("UltmtDbtr"),
    ...party("Cdtr"),
    ...party("UltmtCdtr"),
    "RltdPties/DbtrAcct/Id/IBAN": text,
    "RltdPties/DbtrAcct/Id/Othr/Id": text,
    "RltdPties/CdtrAcct/Id/IBAN": text,
    "RltdPties/CdtrAcct/Id/Othr/Id": text,
    "RmtInf/Ustrd": joined,
    "RmtInf/Strd/CdtrRefInf/Ref": text,
    "RtrInf/Rsn/Cd": text,
    AddtlTxInf: text,
  },
};

/** The tree of elements that are read of a message, from the root's children on. */
export function structureOf(kind: MessageKind): ElementNode {
  const root = makeNode("Document");
  const message = addScope(root, [kind.message], {
    name: "message",
    children: ["GrpHdr", kind.statement, "SplmtryData"],
    fields: {},
  });
  addScope(message, ["GrpHdr"], header);
  const statement = addScope(message, [kind.statement], {
    name: "statement",
    children: (
      "Id StmtPgntn NtfctnPgntn ElctrncSeqNb RptgSeq LglSeqNb CreDtTm FrToDt CpyDplctInd RptgSrc Acct RltdAcct " +
      "Intrst Bal TxsSummry Ntry AddtlStmtInf AddtlNtfctnInf"
    ).split(" "),
    fields: statementFields,
  });
  addScope(statement, ["Bal"], balance);
  addScope(statement, ["TxsSummry"], summary);
  const ofEntry = addScope(statement, ["Ntry"], entry);
  addScope(ofEntry, ["NtryDtls", "Btch"], batch);
  addScope(ofEntry, ["NtryDtls", "TxDtls"], details);
  return root;
}
