import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** The faces that are embedded: DejaVu Sans, for Latin, Greek, Cyrillic, Armenian, Georgian and more, in two weights. */
export type Face = "regular" | "bold";

const files: Readonly<Record<Face, string>> = {
  regular: "dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf",
  bold: "dejavu-fonts-ttf/ttf/DejaVuSansCondensed-Bold.ttf",
};
const require = createRequire(import.meta.url);
const read = new Map<Face, Buffer>();

/** A face's file, read once. */
export function fontFile(face: Face): Buffer {
  const known = read.get(face) ?? readFileSync(require.resolve(files[face]));
  read.set(face, known);
  return known;
}
