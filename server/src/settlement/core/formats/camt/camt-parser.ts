import { quoted } from "../../amount-text.js";
import type { FileRefused } from "../../file-refused.js";
import { SummaryBuilder, tooManyRecords } from "../../file-summary.js";
import { limits, type FileSummary, type SettlementParser } from "../../settlement-format.js";
import type { SettlementRecord } from "../../settlement-record.js";
import { EntryReader } from "./camt-entry.js";
import { joined, missing, keep_to_standard, type ElementNode, type Scope, type Values } from "./elements.js";
import { structureOf, type MessageKind } from "./message-structure.js";
import { StatementFacts } from "./statement-facts.js";
import { XmlReader, type ElementHandler } from "./xml-reader.js";

const namespace = /^urn:iso:std:iso:20022:tech:xsd:(camt\.\d{3})\.001\.(\d{2})$/;
const first_version = 2;
const last_version = 8;

interface OpenScope {
  readonly scope: Scope;
  readonly values: Values;
  readonly line: number;
}

/**
 * Reads camt.053 and camt.054. An entry that is booked gives a record, or one for each of its transactions where they have amounts of
 * their own; the records of an entry always add up to it. Whether statements foot is a check, not a condition.
 */
export class CamtParser implements SettlementParser, ElementHandler {
  readonly #kind: MessageKind;
  readonly #root: ElementNode;
  readonly #reader = new XmlReader(this);
  readonly #summary = new SummaryBuilder();
  /** The elements that are open; undefined for those that are not read. */
  readonly #path: (ElementNode | undefined)[] = [];
  readonly #names: string[] = [];
  readonly #scopes: OpenScope[] = [];
  /** What the entries so far gave, until the chunk is read. */
  readonly #records: SettlementRecord[] = [];
  #variant = "";
  #header: Values | undefined;
  #statements = 0;
  #statement: StatementFacts | undefined;
  #entry: EntryReader | undefined;
  readonly #accounts = new Set<string>();
  readonly #sequences: { series: string; number: bigint }[] = [];

  constructor(kind: MessageKind) {
    this.#kind = kind;
    this.#root = structureOf(kind);
  }

  push(chunk: Uint8Array): SettlementRecord[] {
    this.#reader.push(chunk);
    return this.#taken();
  }

  end(): { records: SettlementRecord[]; summary: FileSummary } {
    this.#reader.end();
    const records = this.#taken();
    return {
      records,
      summary: this.#summary.build({
        format: this.#kind.format,
        variant: this.#variant,
        logicalId: this.#logicalId(),
        sequences: this.#sequences,
        accounts: [...this.#accounts],
      }),
    };
  }

  open(name: string, attributes: Readonly<Record<string, string>>, line: number): void {
    this.#names.push(name);
    if (this.#path.length === 0) {
      this.#readRoot(name, attributes);
      this.#path.push(this.#root);
      return;
    }
    const parent = this.#path.at(-1);
    const node = parent?.children.get(name);
    this.#path.push(node);
    if (node === undefined) {
      this.#requirePlace(parent, name);
      return;
    }
    if (node.scope !== undefined) {
      this.#scopes.push({ scope: node.scope, values: {}, line });
      if (node.scope.name === "statement") this.#beginStatement();
      else if (node.scope.name === "entry") this.#beginEntry(line);
      else if (node.scope.name === "details" || node.scope.name === "batch") this.#beginDetails();
    } else if (node.field !== undefined) {
      const { values } = this.#currentScope();
      if (node.once === true && values[node.field] !== undefined) {
        throw this.#refuse(`there are two ${name}`, keep_to_standard, this.#fieldPath());
      }
      if (node.codeField !== undefined) values[node.codeField] ??= attributes["Ccy"];
    }
  }

  close(text: string): void {
    const node = this.#path.at(-1);
    if (node?.field !== undefined) this.#readField(node, text);
    if (node?.scope !== undefined) {
      const closed = this.#scopes.pop();
      if (closed !== undefined) this.#endScope(closed);
    }
    this.#path.pop();
    this.#names.pop();
  }

  #readRoot(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name !== "Document") {
      throw this.#refuse(
        `the file's first element is ${quoted(name)}`,
        "Import a file that begins with Document",
      );
    }
    const named = Object.entries(attributes).find(
      ([attribute, value]) => /^xmlns(:|$)/.test(attribute) && namespace.test(value),
    );
    const [, message, version] = namespace.exec(named?.[1] ?? "") ?? [];
    if (message !== this.#kind.format || version === undefined) {
      throw this.#refuse(
        `Document is not of ${this.#kind.format}`,
        `Import a file whose Document names urn:iso:std:iso:20022:tech:xsd:${this.#kind.format}.001.08, or a version from 02 on`,
      );
    }
    if (Number(version) < first_version || Number(version) > last_version) {
      throw this.#refuse(
        `${message}.001.${version} is a version that is not read`,
        `Ask the bank for one of the versions 0${first_version} to 0${last_version}`,
      );
    }
    this.#variant = `${message}.001.${version}`;
  }

  /** Money lies in few elements; where they stand, nothing else may. */
  #requirePlace(parent: ElementNode | undefined, name: string): void {
    const allowed = parent === this.#root ? [this.#kind.message] : parent?.scope?.children;
    if (allowed === undefined || allowed.includes(name)) return;
    throw this.#refuse(
      `${quoted(name)} may not stand in ${parent?.name}`,
      `Ask the bank for a file of ${this.#variant} that keeps to the standard`,
      this.#fieldPath(),
    );
  }

  #readField(node: ElementNode, text: string): void {
    const { field, codeField, check } = node;
    if (field === undefined || check === undefined) return;
    // An element that holds others has no text of its own: Sts is a code in one version and a choice in the next.
    if (node.children.size > 0 && text.trim() === "") return;
    const { values } = this.#currentScope();
    const trimmed = text.trim();
    const result = check(trimmed, codeField === undefined ? undefined : values[codeField]);
    if (!result.ok) throw this.#refuse(result.error.detail, result.error.advice, this.#fieldPath());
    if (trimmed === "") return;
    const before = values[field];
    if (before === undefined) values[field] = trimmed;
    else if (check === joined && before.length + trimmed.length < limits.record_bytes_max) {
      values[field] = `${before} ${trimmed}`;
    }
  }

  #endScope({ scope, values, line }: OpenScope): void {
    switch (scope.name) {
      case "message":
        this.#requireStatements();
        return;
      case "header":
        this.#readHeader(values, line);
        return;
      case "balance":
        this.#statement?.addBalance(values, line);
        return;
      case "summary":
        this.#statement?.setSummary(values);
        return;
      case "batch":
        this.#entry?.setBatch(values);
        return;
      case "details":
        this.#entry?.addDetails(values, line);
        return;
      case "entry":
        this.#entry?.begin(values);
        this.#entry?.end();
        this.#entry = undefined;
        return;
      case "statement":
        this.#endStatement(values, line);
    }
  }

  #requireStatements(): void {
    if (this.#statements > 0) return;
    const { message, statement } = this.#kind;
    throw this.#refuse(`${message} has no ${statement}`, "Ask the bank for the statement itself", message);
  }

  #readHeader(values: Values, line: number): void {
    if (this.#header !== undefined) throw this.#refuse("there are two GrpHdr", keep_to_standard, "GrpHdr");
    for (const field of ["MsgId", "CreDtTm"]) {
      if (values[field] === undefined) throw missing(field, "GrpHdr", line);
    }
    this.#header = values;
  }

  #beginStatement(): void {
    if (this.#header === undefined) {
      throw this.#refuse(
        `there is no GrpHdr before ${this.#kind.statement}`,
        keep_to_standard,
        this.#kind.message,
      );
    }
    this.#statements += 1;
    if (this.#statements > limits.accounts_max) throw tooManyRecords();
    this.#statement = new StatementFacts(this.#kind, this.#summary, this.#statements);
  }

  /** The statement's own fields stand before its entries. */
  #beginEntry(line: number): void {
    const statement = this.#statement;
    const around = this.#scopes.at(-2);
    if (statement === undefined || around === undefined) return;
    statement.identify(around.values, around.line);
    this.#entry = new EntryReader(this.#kind, statement, this.#summary, this.#records, line);
  }

  /** An entry's own fields stand before its transactions: with the first of them, or with the entry's end, they are known. */
  #beginDetails(): void {
    const around = this.#scopes.at(-2);
    if (around !== undefined) this.#entry?.begin(around.values);
  }

  #endStatement(values: Values, line: number): void {
    const statement = this.#statement;
    if (statement === undefined) return;
    statement.identify(values, line);
    statement.close();
    this.#accounts.add(statement.account);
    this.#sequences.push(...statement.sequences());
    this.#statement = undefined;
  }

  #logicalId(): string | undefined {
    const id = this.#header?.["MsgId"];
    const page = this.#header?.["MsgPgntn/PgNb"];
    // The pages of a message share its id.
    return id === undefined || page === undefined || page === "1" ? id : `${id}, page ${page}`;
  }

  #taken(): SettlementRecord[] {
    return this.#records.splice(0);
  }

  #currentScope(): OpenScope {
    const scope = this.#scopes.at(-1);
    if (scope === undefined) throw new RangeError("a field is read outside of every scope");
    return scope;
  }

  /** "Stmt/Ntry/Amt" */
  #fieldPath(): string {
    return this.#names.slice(2).join("/") || this.#names.join("/");
  }

  #refuse(detail: string, advice: string, field?: string): FileRefused {
    return this.#reader.refuse(detail, advice, field);
  }
}
