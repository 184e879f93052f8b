/** Units that meters count in, by UN/ECE Recommendation 20; what is counted in pieces is C62, "one". */
const codes: Readonly<Record<string, string>> = {
  second: "SEC",
  minute: "MIN",
  hour: "HUR",
  day: "DAY",
  week: "WEE",
  month: "MON",
  year: "ANN",
  byte: "AD",
  kb: "2P",
  mb: "4L",
  gb: "E34",
  tb: "E35",
  pb: "E36",
  kib: "E64",
  mib: "E63",
  gib: "E62",
  tib: "E61",
  pib: "E60",
  bit: "A99",
  kwh: "KWH",
  mwh: "MWH",
  km: "KMT",
  kg: "KGM",
};

export const one_unit = "C62";

/** The code of a unit by its name, in singular or plural. */
export function unitCodeOf(unit: string | undefined): string {
  const name = (unit ?? "").trim().toLowerCase();
  return (
    (Object.hasOwn(codes, name) ? codes[name] : undefined) ??
    (name.endsWith("s") && Object.hasOwn(codes, name.slice(0, -1)) ? codes[name.slice(0, -1)] : undefined) ??
    one_unit
  );
}
