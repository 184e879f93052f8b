/** A file, its mapping or a line of it cannot be read as events. */
export class FileFault extends Error {
  override readonly name = "FileFault";

  /** @param line  1-based, when it is a line's fault */
  constructor(
    message: string,
    readonly line?: number,
  ) {
    super(line === undefined ? message : `line ${line}: ${message}`);
    this.reason = message;
  }

  /** Without the line. */
  readonly reason: string;
}

/** A part of a mapping is missing or wrong. */
export class MappingFault extends FileFault {
  /** @param option  its name in `MappingOptions` */
  constructor(
    readonly option: string,
    message: string,
  ) {
    super(message);
  }
}
