/** An acquirer's answer to one item of a charge file. */
export interface CardAnswer {
  readonly reference: string;
  readonly result?: "accepted" | "rejected";
  readonly currency?: string;
  readonly code?: string;
  readonly message?: string;
}

export interface CardResponses {
  readonly acquirer?: string;
  readonly merchant?: string;
  /** The number of the charge file. */
  readonly batch: number | bigint;
  readonly response?: number;
  readonly at?: string;
  readonly answers: readonly CardAnswer[];
  /** What a sender does wrong. */
  readonly wrong?: { readonly trailer?: "missing" | number; readonly version?: string };
}

/** Writes an acquirer's responses to a charge file, as docs/guide/card-files.md describes them. */
export function cardResponsesFile({
  acquirer = "ACQ1",
  merchant = "M-100",
  batch,
  response = 1,
  at = "2026-03-02T06:00:00Z",
  answers,
  wrong = {},
}: CardResponses): string {
  const lines = [
    `H,WEIR-CARD-RESPONSES,${wrong.version ?? "1"},${acquirer},${merchant},${batch},${response},${at}`,
    ...answers.map(
      ({ reference, result = "rejected", currency = "EUR", code = "", message = "" }, index) =>
        `R,${index + 1},${reference},${result},${currency},${code},${quoted(message)},`,
    ),
    ...(wrong.trailer === "missing" ? [] : [`T,${wrong.trailer ?? answers.length},,,,,,`]),
  ];
  return lines.map((line) => `${line}\r\n`).join("");
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
