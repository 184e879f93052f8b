import { colors, gap, PdfFlow, styles } from "./pdf-flow.js";
import type { PdfPage, TextStyle } from "./pdf-page.js";
import { drawTable } from "./pdf-table.js";
import type { PrintedDocument, PrintedParty } from "./printed-document.js";

/** Draws the whole document; pages are added as they are needed. */
export function drawInvoice(page: PdfPage, printed: PrintedDocument): Promise<void> {
  return new InvoiceSheet(page, printed).draw();
}

class InvoiceSheet {
  readonly #flow: PdfFlow;
  readonly #printed: PrintedDocument;

  constructor(page: PdfPage, printed: PrintedDocument) {
    this.#flow = new PdfFlow(page, printed.watermark);
    this.#printed = printed;
  }

  async draw(): Promise<void> {
    this.#flow.newPage();
    this.#head();
    this.#parties();
    this.#due();
    await drawTable(this.#flow, this.#printed);
    this.#totals();
    this.#notes();
    this.#footers();
  }

  #head(): void {
    const { title, number, seller } = this.#printed;
    const half = this.#flow.width / 2;
    const name: TextStyle = { face: "bold", size: 12, color: colors.ink };
    const titleStyle: TextStyle = { size: 21, color: colors.ink, align: "right" };
    const numberStyle: TextStyle = { size: 9.5, color: colors.quiet, align: "right" };
    this.#flow.page.text(seller.name, this.#flow.x, this.#flow.y + 6, half - gap, name);
    this.#flow.page.text(title, this.#flow.x + half, this.#flow.y, half, titleStyle);
    const below = this.#flow.y + this.#flow.page.heightOf(title, half, titleStyle);
    this.#flow.page.text(number, this.#flow.x + half, below, half, numberStyle);
    this.#flow.y = Math.max(
      this.#flow.y + 6 + this.#flow.page.heightOf(seller.name, half - gap, name),
      below + this.#flow.page.heightOf(number, half, numberStyle),
    );
    this.#flow.y += 26;
  }

  #parties(): void {
    const { buyer, seller, facts } = this.#printed;
    const width = (this.#flow.width - 2 * gap) / 3;
    const x = this.#flow.x;
    const bottoms = [
      this.#party(buyer, x, width),
      this.#party(seller, x + width + gap, width),
      this.#facts(facts, x + 2 * (width + gap), width),
    ];
    this.#flow.y = Math.max(...bottoms) + 22;
  }

  #party({ heading: label, name, lines }: PrintedParty, x: number, width: number): number {
    let y = this.#flow.y;
    this.#flow.page.text(label.toLocaleUpperCase(this.#printed.language), x, y, width, styles.heading);
    y += 13;
    for (const [text, style] of [
      [name, styles.bold] as const,
      ...lines.map((line) => [line, styles.body] as const),
    ]) {
      this.#flow.page.text(text, x, y, width, style);
      y += this.#flow.page.heightOf(text, width, style) + 1;
    }
    return y;
  }

  #facts(facts: PrintedDocument["facts"], x: number, width: number): number {
    let y = this.#flow.y;
    for (const [label, value] of facts) {
      this.#flow.page.text(label, x, y + 1.2, width * 0.42, styles.small);
      const valueStyle: TextStyle = { ...styles.body, align: "right" };
      // An id has no place to break at: it is set smaller until it fits.
      const fitted = this.#fit(value, width * 0.58, valueStyle);
      this.#flow.page.text(value, x + width * 0.42, y, width * 0.58, fitted);
      y +=
        Math.max(
          this.#flow.page.heightOf(value, width * 0.58, fitted),
          this.#flow.page.heightOf(label, width * 0.42, styles.small) + 1.2,
        ) + 2;
    }
    return y;
  }

  #fit(text: string, width: number, style: TextStyle, size_min = 6): TextStyle {
    const needed = this.#flow.page.widthOf(text, style);
    if (needed <= width) return style;
    return { ...style, size: Math.max(size_min, (style.size * width) / needed - 0.05) };
  }

  #due(): void {
    const { label, value, by } = this.#printed.due;
    const x = this.#flow.x;
    this.#flow.page.rule(x, this.#flow.y, this.#flow.width, colors.accent, 1.2);
    const amount: TextStyle = { face: "bold", size: 15, color: colors.accent };
    const words: TextStyle = { size: 10, color: colors.quiet };
    this.#flow.page.text(label, x, this.#flow.y + 13, this.#flow.width, words);
    const at = x + this.#flow.page.widthOf(label, words) + 10;
    this.#flow.page.text(value, at, this.#flow.y + 8.5, this.#flow.width, amount);
    if (by !== undefined) {
      const after = at + this.#flow.page.widthOf(value, amount) + 10;
      this.#flow.page.text(by, after, this.#flow.y + 13, this.#flow.x + this.#flow.width - after, words);
    }
    this.#flow.y += 36;
    this.#flow.page.rule(x, this.#flow.y, this.#flow.width, colors.hairline, 0.6);
    this.#flow.y += 22;
  }

  #totals(): void {
    const { totals } = this.#printed;
    const width = this.#flow.width * 0.56;
    const x = this.#flow.x + this.#flow.width - width;
    const valueWidth = 110;
    const heightOf = ({ label, value, weight }: (typeof totals)[number]) => {
      const style = totalStyle(weight);
      return (
        Math.max(
          this.#flow.page.heightOf(label, width - valueWidth, style),
          this.#flow.page.heightOf(value, valueWidth, style),
        ) + (weight === "due" ? 12 : 5)
      );
    };
    // The sums stand together, unless there are more of them than a page holds.
    const height = totals.reduce((sum, total) => sum + heightOf(total), 0);
    this.#flow.y += 10;
    this.#flow.ensure(Math.min(height, this.#flow.height));
    this.#flow.page.rule(x, this.#flow.y, width, colors.ink, 0.7);
    for (const total of totals) {
      const needed = heightOf(total);
      this.#flow.ensure(needed);
      const style = totalStyle(total.weight);
      if (total.weight === "strong") this.#flow.page.rule(x, this.#flow.y, width, colors.hairline, 0.6);
      if (total.weight === "due") this.#flow.page.rule(x, this.#flow.y, width, colors.accent, 1.2);
      const y = this.#flow.y + (total.weight === "due" ? 7 : 3);
      this.#flow.page.text(total.label, x, y, width - valueWidth, style);
      this.#flow.page.text(total.value, x + width - valueWidth, y, valueWidth, { ...style, align: "right" });
      this.#flow.y += needed;
    }
    this.#flow.y += 8;
  }

  #notes(): void {
    const { labels, taxNotes, payment, notes } = this.#printed;
    for (const note of taxNotes) {
      const height = this.#flow.page.heightOf(note, this.#flow.width, styles.body);
      this.#flow.ensure(height);
      this.#flow.page.text(note, this.#flow.x, this.#flow.y, this.#flow.width, styles.body);
      this.#flow.y += height + 4;
    }
    const blocks = [
      [labels.payment, payment],
      [labels.notes, notes],
    ] as const;
    this.#blocks(blocks.filter(([, lines]) => lines.length > 0));
    if (this.#flow.page.replaced) {
      const note = labels.missingCharacters;
      this.#flow.ensure(24);
      this.#flow.page.text(note, this.#flow.x, this.#flow.y + 8, this.#flow.width, styles.small);
      this.#flow.y += 8 + this.#flow.page.heightOf(note, this.#flow.width, styles.small);
    }
  }

  /** Side by side and together, or below one another where they are longer than that. */
  #blocks(blocks: readonly (readonly [label: string, lines: readonly string[]])[]): void {
    const width = (this.#flow.width - 2 * gap) / 2;
    const heightOf = (lines: readonly string[]) =>
      lines.reduce((sum, line) => sum + this.#flow.page.heightOf(line, width, styles.body) + 1, 13);
    const highest = Math.max(0, ...blocks.map(([, lines]) => heightOf(lines)));
    this.#flow.y += 8;
    if (highest > this.#flow.height / 2) {
      for (const [label, lines] of blocks) this.#block(label, lines, this.#flow.x, this.#flow.width);
      return;
    }
    this.#flow.ensure(highest);
    const top = this.#flow.y;
    for (const [index, [label, lines]] of blocks.entries()) {
      this.#flow.y = top;
      this.#block(label, lines, this.#flow.x + index * (width + 2 * gap), width);
    }
    this.#flow.y = top + highest;
  }

  #block(label: string, lines: readonly string[], x: number, width: number): void {
    this.#flow.ensure(28);
    this.#flow.page.text(
      label.toLocaleUpperCase(this.#printed.language),
      x,
      this.#flow.y,
      width,
      styles.heading,
    );
    this.#flow.y += 13;
    for (const line of lines) {
      const height = this.#flow.page.heightOf(line, width, styles.body);
      this.#flow.ensure(height);
      this.#flow.page.text(line, x, this.#flow.y, width, styles.body);
      this.#flow.y += height + 1;
    }
  }

  /** On every page, once it is known how many there are. */
  #footers(): void {
    const { pdf } = this.#flow.page;
    const { labels, seller, title, number, reference } = this.#printed;
    const { count } = pdf.bufferedPageRange();
    for (let index = 0; index < count; index += 1) {
      pdf.switchToPage(index);
      const y = this.#flow.page.height - 38;
      const pages = `${labels.page} ${index + 1} ${labels.of} ${count}`;
      const left = oneLine(
        `${oneLine(seller.name, 60)} · ${title} ${oneLine(number, 40)} · ${reference}`,
        160,
      );
      this.#flow.page.rule(this.#flow.x, y - 8, this.#flow.width, colors.hairline, 0.6);
      this.#flow.page.text(
        left,
        this.#flow.x,
        y,
        this.#flow.width - 90,
        this.#fit(left, this.#flow.width - 92, styles.small, 4),
      );
      this.#flow.page.text(pages, this.#flow.x + this.#flow.width - 90, y, 90, {
        ...styles.small,
        align: "right",
      });
    }
  }
}

function totalStyle(weight: PrintedDocument["totals"][number]["weight"]): TextStyle {
  if (weight === "due") return { face: "bold", size: 10.5, color: colors.accent };
  if (weight === "strong") return styles.bold;
  return weight === "small" ? styles.small : styles.body;
}

function oneLine(text: string, length_max: number): string {
  return text.length <= length_max ? text : `${text.slice(0, length_max - 1)}…`;
}
