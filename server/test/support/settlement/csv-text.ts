/** How a report is written: what spreadsheets and senders do differently. */
export interface CsvStyle {
  readonly separator?: "," | ";" | "\t";
  readonly lineEnd?: "\n" | "\r\n";
  readonly byteOrderMark?: boolean;
  readonly quoteAll?: boolean;
  readonly lastLineEnd?: boolean;
}

/** The lines of a CSV file, quoted as RFC 4180 has it. */
export function* csvLines(
  header: readonly string[],
  rows: Iterable<Readonly<Record<string, string>>>,
  {
    separator = ",",
    lineEnd = "\n",
    byteOrderMark = false,
    quoteAll = false,
    lastLineEnd = true,
  }: CsvStyle = {},
): Generator<string> {
  const field = (value: string) =>
    quoteAll || value.includes(separator) || /["\r\n]/.test(value)
      ? `"${value.replaceAll('"', '""')}"`
      : value;
  const line = (values: readonly string[]) => values.map(field).join(separator);
  yield `${byteOrderMark ? "\ufeff" : ""}${line(header)}`;
  for (const row of rows) yield `${lineEnd}${line(header.map((name) => row[name] ?? ""))}`;
  if (lastLineEnd) yield lineEnd;
}
