import type { PdfPage, TextStyle } from "./pdf-page.js";

export const colors = { ink: "#1c2430", quiet: "#66707f", hairline: "#e3e6ea", accent: "#1f4f6b" } as const;

const body: TextStyle = { size: 9, color: colors.ink };

export const styles = {
  body,
  bold: { ...body, face: "bold" },
  small: { size: 7.5, color: colors.quiet },
  heading: { size: 7, color: colors.quiet },
} satisfies Record<string, TextStyle>;

/** Between columns. */
export const gap = 12;
const margin = { x: 52, top: 46, bottom: 58 };

/** The place where drawing goes on, from the top of a page to its foot and on to the next. */
export class PdfFlow {
  readonly page: PdfPage;
  /** From the top of the page in use. */
  y = 0;
  readonly #watermark: string | undefined;

  constructor(page: PdfPage, watermark: string | undefined) {
    this.page = page;
    this.#watermark = watermark;
  }

  get x(): number {
    return margin.x;
  }

  get width(): number {
    return this.page.width - 2 * margin.x;
  }

  /** What a page holds between its margins. */
  get height(): number {
    return this.page.height - margin.top - margin.bottom;
  }

  newPage(): void {
    this.page.add();
    if (this.#watermark !== undefined) this.page.watermark(this.#watermark);
    this.y = margin.top;
  }

  /** Makes room for what must not be torn. */
  ensure(height: number, onNewPage?: () => void): void {
    if (this.y + height <= margin.top + this.height) return;
    this.newPage();
    onNewPage?.();
  }
}
