/**
 * The identities of the parameter `keys` (hexadecimal), for `key IN (…)`. toFixedString, because ClickHouse drops the
 * trailing zero bytes of the column's side when it compares with a String: one key in 256 would not be found.
 */
export const given_keys = "SELECT toFixedString(unhex(arrayJoin({keys:Array(String)})), 16)";

/** The value of that parameter. */
export function hexKeys(keys: readonly string[]): string[] {
  return keys.map((key) => Buffer.from(key, "latin1").toString("hex"));
}
