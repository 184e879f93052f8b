/** The master key is not as it must be; the message says what to do. Trying again changes nothing. */
export class MasterKeyUnusable extends Error {
  override readonly name = "MasterKeyUnusable";
  readonly retry = false;
}

/**
 * What was sealed cannot be opened: it was changed, cut short, or sealed for another place, or the master key that sealed it is
 * not among those given.
 */
export class SealBroken extends Error {
  override readonly name = "SealBroken";
  readonly retry = false;
}
