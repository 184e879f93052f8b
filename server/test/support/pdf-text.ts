/** A run of text on a page of an uncompressed PDF of ours, where it stands from the top left. */
export interface PdfText {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/** The texts of each page, in the order in which they were drawn; reads pdfkit's own output with `compress: false`. */
export function textOfPdf(pdf: Buffer): PdfText[][] {
  const objects = new Map<string, string>();
  for (const match of pdf.toString("latin1").matchAll(/^(\d+) 0 obj\n([\s\S]*?)\nendobj$/gm))
    objects.set(match[1]!, match[2]!);
  const referenced = (body: string, name: string): string =>
    objects.get(new RegExp(`/${name} (\\d+) 0 R`).exec(body)?.[1] ?? "") ?? "";
  const kids = /\/Kids \[([^\]]*)\]/.exec(
    [...objects.values()].find((body) => body.includes("/Type /Pages"))!,
  )![1]!;
  return [...kids.matchAll(/(\d+) 0 R/g)].map(([, id]) => {
    const page = objects.get(id!)!;
    const [, height] = /\/MediaBox \[0 0 [\d.]+ ([\d.]+)\]/.exec(page)!;
    const fonts = new Map<string, Map<number, string>>();
    for (const [, name, font] of referenced(page, "Resources").matchAll(/\/(F\d+) (\d+) 0 R/g))
      fonts.set(name!, charactersOf(referenced(objects.get(font!)!, "ToUnicode")));
    return textsOf(referenced(page, "Contents"), fonts, Number(height));
  });
}

function textsOf(content: string, fonts: Map<string, Map<number, string>>, height: number): PdfText[] {
  const texts: PdfText[] = [];
  let place = { x: 0, y: 0 };
  let font = { name: "", size: 0 };
  for (const line of content.split("\n")) {
    const matrix = /^1 0 0 1 ([-\d.]+) ([-\d.]+) Tm$/.exec(line);
    if (matrix !== null) place = { x: Number(matrix[1]), y: height - Number(matrix[2]) };
    const set = /^\/(F\d+) ([\d.]+) Tf$/.exec(line);
    if (set !== null) font = { name: set[1]!, size: Number(set[2]) };
    if (!line.endsWith("TJ")) continue;
    const characters = fonts.get(font.name)!;
    const glyphs = [...line.matchAll(/<([\da-f]*)>/g)].flatMap(([, hex]) => hex!.match(/.{4}/g) ?? []);
    const text = glyphs.map((glyph) => characters.get(Number.parseInt(glyph, 16)) ?? "?").join("");
    texts.push({ text, ...place, size: font.size });
  }
  return texts;
}

/** From glyph to characters, as the font's ToUnicode says. */
function charactersOf(map: string): Map<number, string> {
  const characters = new Map<number, string>();
  for (const [, first, list] of map.matchAll(/<([\da-f]+)> <[\da-f]+> \[([^\]]*)\]/g)) {
    for (const [index, [, hex]] of [...list!.matchAll(/<([\da-f\s]*)>/g)].entries()) {
      const codes = hex!.match(/[\da-f]{4}/g) ?? [];
      const text = String.fromCharCode(...codes.map((code) => Number.parseInt(code, 16)));
      characters.set(Number.parseInt(first!, 16) + index, text);
    }
  }
  return characters;
}
