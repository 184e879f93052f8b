const nul = "\u0000";

/**
 * The text that a UNIQUE_COUNT meter counts, as it is stored: never empty, since empty stands for meters of other kinds, by
 * which the rollups tell them apart.
 */
export function storedUnique(counted: string): string {
  return counted === "" || counted.startsWith(nul) ? `${nul}${counted}` : counted;
}

/** The text that was counted; undefined of meters of other kinds. */
export function countedUnique(stored: string): string | undefined {
  if (stored === "") return undefined;
  return stored.startsWith(nul) ? stored.slice(1) : stored;
}
