/** The first number of a JSON text that a double may not hold; Weir refuses it, reading it here would hide it. */
export function findChangedNumber(json: string): string | undefined {
  const withoutStrings = json.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  for (const [number] of withoutStrings.matchAll(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)) {
    const digits = number
      .replace(/[eE].*$/, "")
      .replace(/[-.]/g, "")
      .replace(/^0+|0+$/g, "");
    if (digits.length > 15 || !Number.isFinite(Number(number))) return number;
  }
  return undefined;
}
