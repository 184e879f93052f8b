import { setImmediate } from "node:timers/promises";
import type { PdfPage, TextStyle } from "./pdf-page.js";
import type { PrintedDocument, PrintedParty, PrintedRow, PrintedSection } from "./printed-document.js";

const ink = "#1c2430";
const quiet = "#66707f";
const hairline = "#e3e6ea";
const accent = "#1f4f6b";

const body: TextStyle = { size: 9, color: ink };
const bodyBold: TextStyle = { ...body, face: "bold" };
const small: TextStyle = { size: 7.5, color: quiet };
const heading: TextStyle = { size: 7, color: quiet };
const margin = { x: 52, top: 46, bottom: 58 };
const gap = 12;
/** About a page of them. */
const rows_at_once = 25;

interface Columns {
  readonly text: number;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly tax: number;
  readonly amount: number;
}

/**
 * Draws the whole document; pages are added as they are needed. After each page others get their turn: 1,000 lines are
 * seconds of work.
 */
export function drawInvoice(page: PdfPage, printed: PrintedDocument): Promise<void> {
  return new InvoiceSheet(page, printed).draw();
}

class InvoiceSheet {
  readonly #page: PdfPage;
  readonly #printed: PrintedDocument;
  #y = 0;
  #tableTop = 0;

  constructor(page: PdfPage, printed: PrintedDocument) {
    this.#page = page;
    this.#printed = printed;
  }

  async draw(): Promise<void> {
    this.#newPage();
    this.#head();
    this.#parties();
    this.#due();
    await this.#table();
    this.#totals();
    this.#notes();
    this.#footers();
  }

  get #width(): number {
    return this.#page.width - 2 * margin.x;
  }

  get #bottom(): number {
    return this.#page.height - margin.bottom;
  }

  get #columns(): Columns {
    const tax = this.#printed.taxColumn ? 44 : 0;
    const [quantity, unitPrice, amount] = [92, 104, 84];
    return { text: this.#width - quantity - unitPrice - tax - amount, quantity, unitPrice, tax, amount };
  }

  #newPage(): void {
    this.#page.add();
    if (this.#printed.watermark !== undefined) this.#page.watermark(this.#printed.watermark);
    this.#y = margin.top;
  }

  /** Makes room for what must not be torn. */
  #ensure(height: number, onNewPage?: () => void): void {
    if (this.#y + height <= this.#bottom) return;
    this.#newPage();
    onNewPage?.();
  }

  #head(): void {
    const { title, number, seller } = this.#printed;
    const half = this.#width / 2;
    const name: TextStyle = { face: "bold", size: 12, color: ink };
    const titleStyle: TextStyle = { size: 21, color: ink, align: "right" };
    const numberStyle: TextStyle = { size: 9.5, color: quiet, align: "right" };
    this.#page.text(seller.name, margin.x, this.#y + 6, half - gap, name);
    this.#page.text(title, margin.x + half, this.#y, half, titleStyle);
    const below = this.#y + this.#page.heightOf(title, half, titleStyle);
    this.#page.text(number, margin.x + half, below, half, numberStyle);
    this.#y = Math.max(
      this.#y + 6 + this.#page.heightOf(seller.name, half - gap, name),
      below + this.#page.heightOf(number, half, numberStyle),
    );
    this.#y += 26;
  }

  #parties(): void {
    const { buyer, seller, facts } = this.#printed;
    const width = (this.#width - 2 * gap) / 3;
    const x = margin.x;
    const bottoms = [
      this.#party(buyer, x, width),
      this.#party(seller, x + width + gap, width),
      this.#facts(facts, x + 2 * (width + gap), width),
    ];
    this.#y = Math.max(...bottoms) + 22;
  }

  #party({ heading: label, name, lines }: PrintedParty, x: number, width: number): number {
    let y = this.#y;
    this.#page.text(label.toLocaleUpperCase(this.#printed.language), x, y, width, heading);
    y += 13;
    for (const [text, style] of [[name, bodyBold] as const, ...lines.map((line) => [line, body] as const)]) {
      this.#page.text(text, x, y, width, style);
      y += this.#page.heightOf(text, width, style) + 1;
    }
    return y;
  }

  #facts(facts: PrintedDocument["facts"], x: number, width: number): number {
    let y = this.#y;
    for (const [label, value] of facts) {
      this.#page.text(label, x, y + 1.2, width * 0.42, small);
      const valueStyle: TextStyle = { ...body, align: "right" };
      // An id has no place to break at: it is set smaller until it fits.
      const fitted = this.#fit(value, width * 0.58, valueStyle);
      this.#page.text(value, x + width * 0.42, y, width * 0.58, fitted);
      y +=
        Math.max(
          this.#page.heightOf(value, width * 0.58, fitted),
          this.#page.heightOf(label, width * 0.42, small) + 1.2,
        ) + 2;
    }
    return y;
  }

  #fit(text: string, width: number, style: TextStyle, size_min = 6): TextStyle {
    const needed = this.#page.widthOf(text, style);
    if (needed <= width) return style;
    return { ...style, size: Math.max(size_min, (style.size * width) / needed - 0.05) };
  }

  #due(): void {
    const { label, value, by } = this.#printed.due;
    const x = margin.x;
    this.#page.rule(x, this.#y, this.#width, accent, 1.2);
    const amount: TextStyle = { face: "bold", size: 15, color: accent };
    const words: TextStyle = { size: 10, color: quiet };
    this.#page.text(label, x, this.#y + 13, this.#width, words);
    const at = x + this.#page.widthOf(label, words) + 10;
    this.#page.text(value, at, this.#y + 8.5, this.#width, amount);
    if (by !== undefined) {
      const after = at + this.#page.widthOf(value, amount) + 10;
      this.#page.text(by, after, this.#y + 13, margin.x + this.#width - after, words);
    }
    this.#y += 36;
    this.#page.rule(x, this.#y, this.#width, hairline, 0.6);
    this.#y += 22;
  }

  async #table(): Promise<void> {
    this.#tableHead();
    for (const section of this.#printed.sections) await this.#section(section);
  }

  #tableHead(): void {
    const { heads, language } = this.#printed;
    const upper = (text: string) => text.toLocaleUpperCase(language);
    const cells = {
      quantity: upper(heads.quantity),
      unitPrice: upper(heads.unitPrice),
      tax: upper(heads.tax),
      amount: upper(heads.amount),
    };
    this.#page.text(upper(heads.text), margin.x, this.#y, this.#columns.text - gap, heading);
    this.#cells(cells, this.#y, heading);
    this.#y +=
      Math.max(
        ...Object.entries(cells).map(([name, text]) =>
          this.#page.heightOf(text, this.#columns[name as keyof Columns] - gap / 2, heading),
        ),
      ) + 4;
    this.#page.rule(margin.x, this.#y, this.#width, ink, 0.7);
    this.#y += 4;
    this.#tableTop = this.#y;
  }

  async #section({ title, subtitle, period, rows }: PrintedSection): Promise<void> {
    const [first] = rows;
    if (title !== "") {
      const text = subtitle === undefined ? title : `${title} · ${subtitle}`;
      const periodWidth = period === undefined ? 0 : this.#page.widthOf(period, small) + gap;
      const height = this.#page.heightOf(text, this.#width - periodWidth, bodyBold);
      // A heading never stands alone at the foot of a page.
      this.#ensure(height + 14 + (first === undefined ? 0 : this.#heightOf(first)), () => this.#tableHead());
      this.#y += 8;
      this.#page.text(text, margin.x, this.#y, this.#width - periodWidth, bodyBold);
      if (period !== undefined)
        this.#page.text(period, margin.x + this.#width - periodWidth, this.#y + 1.2, periodWidth, {
          ...small,
          align: "right",
        });
      this.#y += height + 4;
    }
    for (const [index, row] of rows.entries()) {
      if (index % rows_at_once === rows_at_once - 1) await setImmediate();
      const next = rows[index + 1];
      // A line is kept together with the first of its details.
      const kept = row.kind === "line" && next?.kind === "detail" ? this.#heightOf(next) : 0;
      this.#ensure(this.#heightOf(row) + kept, () => this.#tableHead());
      this.#row(row);
    }
  }

  #row(row: PrintedRow): void {
    const isDetail = row.kind === "detail";
    const style = isDetail || row.kind === "omitted" ? small : body;
    const indent = isDetail ? 10 : 0;
    const width = this.#columns.text - gap - indent;
    const height = this.#heightOf(row);
    // The head of the table has a rule of its own.
    if (!isDetail && this.#y !== this.#tableTop)
      this.#page.rule(margin.x, this.#y, this.#width, hairline, 0.6);
    let y = this.#y + (isDetail ? 0.5 : 5);
    this.#cells(row, y, style);
    this.#page.text(row.text, margin.x + indent, y, width, style);
    y += this.#page.heightOf(row.text, width, style);
    for (const note of row.small) {
      this.#page.text(note, margin.x + indent, y + 1, width, small);
      y += this.#page.heightOf(note, width, small) + 1;
    }
    this.#y += height;
  }

  #heightOf(row: PrintedRow): number {
    const isDetail = row.kind === "detail";
    const style = isDetail || row.kind === "omitted" ? small : body;
    const width = this.#columns.text - gap - (isDetail ? 10 : 0);
    const text = [
      this.#page.heightOf(row.text, width, style),
      ...row.small.map((note) => this.#page.heightOf(note, width, small) + 1),
    ].reduce((sum, height) => sum + height, 0);
    const cells = (["quantity", "unitPrice", "tax", "amount"] as const).map((name) =>
      this.#page.heightOf(row[name], this.#columns[name] - gap / 2, style),
    );
    return Math.max(text, ...cells) + (isDetail ? 2.5 : 8);
  }

  #cells(
    cells: Pick<PrintedRow, "quantity" | "unitPrice" | "tax" | "amount">,
    y: number,
    style: TextStyle,
  ): void {
    const columns = this.#columns;
    let x = margin.x + columns.text;
    for (const name of ["quantity", "unitPrice", "tax", "amount"] as const) {
      if (columns[name] === 0) continue;
      this.#page.text(cells[name], x + gap / 2, y, columns[name] - gap / 2, { ...style, align: "right" });
      x += columns[name];
    }
  }

  #totals(): void {
    const { totals } = this.#printed;
    const width = this.#width * 0.56;
    const x = margin.x + this.#width - width;
    const valueWidth = 110;
    const heightOf = ({ label, value, weight }: (typeof totals)[number]) => {
      const style = totalStyle(weight);
      return (
        Math.max(
          this.#page.heightOf(label, width - valueWidth, style),
          this.#page.heightOf(value, valueWidth, style),
        ) + (weight === "due" ? 12 : 6)
      );
    };
    // The sums stand together, unless there are more of them than a page holds.
    const height = totals.reduce((sum, total) => sum + heightOf(total), 0);
    this.#y += 10;
    this.#ensure(Math.min(height, this.#bottom - margin.top));
    this.#page.rule(x, this.#y, width, ink, 0.7);
    for (const total of totals) {
      const needed = heightOf(total);
      this.#ensure(needed);
      const style = totalStyle(total.weight);
      if (total.weight === "strong") this.#page.rule(x, this.#y, width, hairline, 0.6);
      if (total.weight === "due") this.#page.rule(x, this.#y, width, accent, 1.2);
      const y = this.#y + (total.weight === "due" ? 7 : 3.5);
      this.#page.text(total.label, x, y, width - valueWidth, style);
      this.#page.text(total.value, x + width - valueWidth, y, valueWidth, { ...style, align: "right" });
      this.#y += needed;
    }
    this.#y += 16;
  }

  #notes(): void {
    const { labels, taxNotes, payment, notes } = this.#printed;
    for (const note of taxNotes) {
      const height = this.#page.heightOf(note, this.#width, body);
      this.#ensure(height);
      this.#page.text(note, margin.x, this.#y, this.#width, body);
      this.#y += height + 4;
    }
    this.#block(labels.payment, payment);
    this.#block(labels.notes, notes);
    if (this.#page.replaced) {
      const note = labels.missingCharacters;
      this.#ensure(24);
      this.#page.text(note, margin.x, this.#y + 8, this.#width, small);
      this.#y += 8 + this.#page.heightOf(note, this.#width, small);
    }
  }

  #block(label: string, lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#y += 8;
    this.#ensure(28);
    this.#page.text(label.toLocaleUpperCase(this.#printed.language), margin.x, this.#y, this.#width, heading);
    this.#y += 13;
    for (const line of lines) {
      const height = this.#page.heightOf(line, this.#width, body);
      this.#ensure(height);
      this.#page.text(line, margin.x, this.#y, this.#width, body);
      this.#y += height + 1;
    }
  }

  /** On every page, once it is known how many there are. */
  #footers(): void {
    const { pdf } = this.#page;
    const { labels, seller, title, number, reference } = this.#printed;
    const { count } = pdf.bufferedPageRange();
    for (let index = 0; index < count; index += 1) {
      pdf.switchToPage(index);
      const y = this.#page.height - 38;
      const pages = `${labels.page} ${index + 1} ${labels.of} ${count}`;
      const left = oneLine(
        `${oneLine(seller.name, 60)} · ${title} ${oneLine(number, 40)} · ${reference}`,
        160,
      );
      this.#page.rule(margin.x, y - 8, this.#width, hairline, 0.6);
      this.#page.text(left, margin.x, y, this.#width - 90, this.#fit(left, this.#width - 92, small, 4));
      this.#page.text(pages, margin.x + this.#width - 90, y, 90, { ...small, align: "right" });
    }
  }
}

function totalStyle(weight: PrintedDocument["totals"][number]["weight"]): TextStyle {
  if (weight === "due") return { face: "bold", size: 10.5, color: accent };
  if (weight === "strong") return bodyBold;
  return weight === "small" ? small : body;
}

function oneLine(text: string, length_max: number): string {
  return text.length <= length_max ? text : `${text.slice(0, length_max - 1)}…`;
}
