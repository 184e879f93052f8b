import { expect, test } from "vitest";
import { sepaText } from "./sepa-text.js";

test("a text in the characters that every bank takes: no mark, no markup, nothing silently shortened but its end", () => {
  expect(sepaText("Müller & Söhne <Straße> 5", 70)).toBe("Muller . Sohne .Strasse. 5");
  expect(sepaText("  two\nlines\t ", 70)).toBe("two lines");
  expect(sepaText("日本 GmbH", 70)).toBe(".. GmbH");
  expect(sepaText("abcdef ghi", 7)).toBe("abcdef");
});
