import type { Face } from "./fonts.js";

export interface TextStyle {
  readonly face?: Face;
  readonly size: number;
  readonly color?: string;
  readonly align?: "left" | "right";
}

/** What is used of pdfkit, with the glyph look-up of its current font, which its types do not show. */
type Pdf = PDFKit.PDFDocument;
interface WithFont {
  readonly _font?: { readonly font?: { hasGlyphForCodePoint?(codePoint: number): boolean } };
}

const replacement = "\uFFFD";

/** A place to put text: measures and draws it, and replaces what the font cannot print by a mark that is seen. */
export class PdfPage {
  readonly pdf: Pdf;
  /** Whether any character was replaced. */
  replaced = false;
  readonly #heights = new Map<string, number>();
  readonly #glyphs = new Map<string, boolean>();
  #face: Face = "regular";

  constructor(pdf: Pdf) {
    this.pdf = pdf;
  }

  get width(): number {
    return this.pdf.page.width;
  }

  get height(): number {
    return this.pdf.page.height;
  }

  add(): void {
    this.pdf.addPage();
  }

  /** How high the text is when it is wrapped at a width. */
  heightOf(text: string, width: number, style: TextStyle): number {
    if (text === "") return 0;
    // Rows are measured to see whether they fit, and again when they are drawn.
    const key = `${style.face ?? ""} ${style.size} ${width} ${text}`;
    const known = this.#heights.get(key);
    if (known !== undefined) return known;
    this.#set(style);
    const height = this.pdf.heightOfString(this.#printable(text), { width, lineGap: gapOf(style) });
    this.#heights.set(key, height);
    return height;
  }

  widthOf(text: string, style: TextStyle): number {
    this.#set(style);
    return this.pdf.widthOfString(this.#printable(text));
  }

  /** Draws text wrapped at a width, its top at y. */
  text(text: string, x: number, y: number, width: number, style: TextStyle): void {
    if (text === "") return;
    this.#set(style);
    this.pdf.text(this.#printable(text), x, y, {
      width,
      align: style.align ?? "left",
      lineGap: gapOf(style),
    });
  }

  rule(x: number, y: number, width: number, color: string, thickness: number): void {
    this.pdf
      .save()
      .moveTo(x, y)
      .lineTo(x + width, y)
      .lineWidth(thickness)
      .stroke(color)
      .restore();
  }

  /** Large, slanted and pale over the middle of the page; drawn first, so that it lies under the rest. */
  watermark(text: string): void {
    const full: TextStyle = { face: "bold", size: 110, color: "#f9efed" };
    const size = Math.min(full.size, (full.size * this.width * 0.85) / this.widthOf(text, full));
    const style: TextStyle = { ...full, size };
    const width = this.widthOf(text, style);
    const [x, y] = [this.width / 2, this.height / 2];
    this.pdf.save().rotate(-35, { origin: [x, y] });
    this.#set(style);
    this.pdf.text(text, x - width / 2, y - style.size / 2, { lineBreak: false });
    this.pdf.restore();
  }

  /** Whether the regular font has every character. */
  canPrint(text: string): boolean {
    this.#font("regular");
    return Array.from(text).every((character) => this.#hasGlyph(character));
  }

  #set({ face = "regular", size, color = "#1c2430" }: TextStyle): void {
    this.#font(face);
    this.pdf.fontSize(size).fillColor(color);
  }

  #font(face: Face): void {
    this.pdf.font(face);
    this.#face = face;
  }

  #printable(text: string): string {
    let printable = "";
    for (const character of text) {
      if (this.#hasGlyph(character)) printable += character;
      else {
        this.replaced = true;
        printable += replacement;
      }
    }
    return printable;
  }

  /** Whether the face in use has the character. */
  #hasGlyph(character: string): boolean {
    const key = `${this.#face} ${character}`;
    const known = this.#glyphs.get(key);
    if (known !== undefined) return known;
    const font = (this.pdf as unknown as WithFont)._font?.font;
    if (font?.hasGlyphForCodePoint === undefined)
      throw new Error("pdfkit no longer shows which glyphs a font has: see pdf-page.ts");
    const has = font.hasGlyphForCodePoint(character.codePointAt(0) ?? 0);
    this.#glyphs.set(key, has);
    return has;
  }
}

function gapOf({ size }: TextStyle): number {
  return size * 0.18;
}
