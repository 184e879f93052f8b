/**
 * The database cannot be used as it is, and trying again changes nothing: a missing right, an unsafe role, an old
 * version, a changed migration. `remedy` is the SQL that an administrator runs to fix it, where SQL can.
 */
export class UnusableDatabase extends Error {
  override readonly name = "UnusableDatabase";
  readonly retry = false;
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string, options?: ErrorOptions) {
    super(
      remedy === undefined
        ? message
        : `${message}\nRun this as an administrator of the database:\n\n${remedy}\n`,
      options,
    );
    this.remedy = remedy;
  }
}
