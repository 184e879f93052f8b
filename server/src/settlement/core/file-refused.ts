export interface FileFault {
  readonly line?: number;
  /** The message's, row's or entry's number, from 1. */
  readonly record?: number;
  /** "DE4", "column 7 (gross)", "Stmt/Bal/Amt". */
  readonly field?: string;
  /** What is wrong, without card numbers. */
  readonly detail: string;
  /** What to do. */
  readonly advice: string;
}

/** A whole file is refused: nothing of it may be used. The message says where, what is wrong and what to do. */
export class FileRefused extends Error {
  override readonly name = "FileRefused";
  readonly line: number | undefined;
  readonly record: number | undefined;
  readonly field: string | undefined;
  readonly detail: string;
  readonly advice: string;

  constructor(fault: FileFault) {
    const where = [
      fault.line === undefined ? undefined : `line ${fault.line}`,
      fault.record === undefined ? undefined : `record ${fault.record}`,
      fault.field,
    ].filter((part) => part !== undefined);
    super(`${where.length === 0 ? "" : `${where.join(", ")}: `}${fault.detail}. ${fault.advice}.`);
    this.line = fault.line;
    this.record = fault.record;
    this.field = fault.field;
    this.detail = fault.detail;
    this.advice = fault.advice;
  }
}
