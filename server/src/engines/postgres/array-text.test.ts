import { expect, test } from "vitest";
import { arrayText } from "./array-text.js";

test("values are quoted, whatever is in them", () => {
  expect(arrayText([])).toBe("{}");
  expect(arrayText(["", "NULL", "a,b", "{c}", 'd"e', "f\\g", " h "])).toBe(
    String.raw`{"","NULL","a,b","{c}","d\"e","f\\g"," h "}`,
  );
  expect(arrayText([1, -2n])).toBe('{"1","-2"}');
});
