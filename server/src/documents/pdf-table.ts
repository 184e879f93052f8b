import { setImmediate } from "node:timers/promises";
import { colors, gap, styles, type PdfFlow } from "./pdf-flow.js";
import type { TextStyle } from "./pdf-page.js";
import type { PrintedDocument } from "./printed-document.js";
import type { PrintedRow, PrintedSection } from "./printed-section.js";

/** About a page of them; after these others get their turn, as 1,000 lines are a second of work. */
const rows_at_once = 25;

interface Columns {
  readonly text: number;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly tax: number;
  readonly amount: number;
}

/** Draws the sections with their lines; the table's head stands on every page. */
export function drawTable(flow: PdfFlow, printed: PrintedDocument): Promise<void> {
  return new InvoiceTable(flow, printed).draw();
}

class InvoiceTable {
  readonly #flow: PdfFlow;
  readonly #printed: PrintedDocument;
  readonly #columns: Columns;
  #top = 0;

  constructor(flow: PdfFlow, printed: PrintedDocument) {
    this.#flow = flow;
    this.#printed = printed;
    const [quantity, unitPrice, amount] = [92, 104, 84];
    const tax = printed.taxColumn ? 44 : 0;
    const text = flow.width - quantity - unitPrice - tax - amount;
    this.#columns = { text, quantity, unitPrice, tax, amount };
  }

  async draw(): Promise<void> {
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
    this.#flow.page.text(
      upper(heads.text),
      this.#flow.x,
      this.#flow.y,
      this.#columns.text - gap,
      styles.heading,
    );
    this.#cells(cells, this.#flow.y, styles.heading);
    this.#flow.y +=
      Math.max(
        ...Object.entries(cells).map(([name, text]) =>
          this.#flow.page.heightOf(text, this.#columns[name as keyof Columns] - gap / 2, styles.heading),
        ),
      ) + 4;
    this.#flow.page.rule(this.#flow.x, this.#flow.y, this.#flow.width, colors.ink, 0.7);
    this.#flow.y += 4;
    this.#top = this.#flow.y;
  }

  async #section({ title, subtitle, period, rows }: PrintedSection): Promise<void> {
    const [first] = rows;
    if (title !== "") {
      const text = subtitle === undefined ? title : `${title} · ${subtitle}`;
      const periodWidth = period === undefined ? 0 : this.#flow.page.widthOf(period, styles.small) + gap;
      const height = this.#flow.page.heightOf(text, this.#flow.width - periodWidth, styles.bold);
      // A styles.heading never stands alone at the foot of a page.
      this.#flow.ensure(height + 14 + (first === undefined ? 0 : this.#heightOf(first)), () =>
        this.#tableHead(),
      );
      this.#flow.y += 8;
      this.#flow.page.text(text, this.#flow.x, this.#flow.y, this.#flow.width - periodWidth, styles.bold);
      if (period !== undefined)
        this.#flow.page.text(
          period,
          this.#flow.x + this.#flow.width - periodWidth,
          this.#flow.y + 1.2,
          periodWidth,
          {
            ...styles.small,
            align: "right",
          },
        );
      this.#flow.y += height + 4;
    }
    for (const [index, row] of rows.entries()) {
      if (index % rows_at_once === rows_at_once - 1) await setImmediate();
      const next = rows[index + 1];
      // A line is kept together with the first of its details.
      const kept = row.kind === "line" && next?.kind === "detail" ? this.#heightOf(next) : 0;
      this.#flow.ensure(this.#heightOf(row) + kept, () => this.#tableHead());
      this.#row(row);
    }
  }

  #row(row: PrintedRow): void {
    const isDetail = row.kind === "detail";
    const style = isDetail || row.kind === "omitted" ? styles.small : styles.body;
    const indent = isDetail ? 10 : 0;
    const width = this.#columns.text - gap - indent;
    const height = this.#heightOf(row);
    // The head of the table has a rule of its own.
    if (!isDetail && this.#flow.y !== this.#top)
      this.#flow.page.rule(this.#flow.x, this.#flow.y, this.#flow.width, colors.hairline, 0.6);
    let y = this.#flow.y + (isDetail ? 0.5 : 4.75);
    this.#cells(row, y, style);
    this.#flow.page.text(row.text, this.#flow.x + indent, y, width, style);
    y += this.#flow.page.heightOf(row.text, width, style);
    for (const note of row.small) {
      this.#flow.page.text(note, this.#flow.x + indent, y + 1, width, styles.small);
      y += this.#flow.page.heightOf(note, width, styles.small) + 1;
    }
    this.#flow.y += height;
  }

  #heightOf(row: PrintedRow): number {
    const isDetail = row.kind === "detail";
    const style = isDetail || row.kind === "omitted" ? styles.small : styles.body;
    const width = this.#columns.text - gap - (isDetail ? 10 : 0);
    const text = [
      this.#flow.page.heightOf(row.text, width, style),
      ...row.small.map((note) => this.#flow.page.heightOf(note, width, styles.small) + 1),
    ].reduce((sum, height) => sum + height, 0);
    const cells = (["quantity", "unitPrice", "tax", "amount"] as const).map((name) =>
      this.#flow.page.heightOf(row[name], this.#columns[name] - gap / 2, style),
    );
    return Math.max(text, ...cells) + (isDetail ? 2.5 : 7.5);
  }

  #cells(
    cells: Pick<PrintedRow, "quantity" | "unitPrice" | "tax" | "amount">,
    y: number,
    style: TextStyle,
  ): void {
    const columns = this.#columns;
    let x = this.#flow.x + columns.text;
    for (const name of ["quantity", "unitPrice", "tax", "amount"] as const) {
      if (columns[name] === 0) continue;
      this.#flow.page.text(cells[name], x + gap / 2, y, columns[name] - gap / 2, {
        ...style,
        align: "right",
      });
      x += columns[name];
    }
  }
}
