import { expect, test } from "vitest";
import { element, writeXml } from "./xml-element.js";

const written = (text: string) => writeXml(element("a", text, { b: text })!).split("\n")[1];

test("texts and attributes are escaped", () => {
  expect(written(`<x a="1"> & ]]>`)).toBe(
    '<a b="&lt;x a=&quot;1&quot;&gt; &amp; ]]&gt;">&lt;x a=&quot;1&quot;&gt; &amp; ]]&gt;</a>',
  );
  expect(written("one\ntwo")).toBe('<a b="one&#10;two">one&#10;two</a>');
});

test("characters that XML cannot hold are left out, whole ones outside of the basic plane stay", () => {
  expect(written("a\u0000b\u0008c\u000bd\ufffee\ud800f\u{1f600}")).toBe(
    '<a b="abcdef\u{1f600}">abcdef\u{1f600}</a>',
  );
});

test("what is empty is left out, and a group of nothing with it", () => {
  expect(element("a", undefined)).toBeUndefined();
  expect(element("a", "")).toBeUndefined();
  expect(element("a", [undefined, element("b", [])])).toBeUndefined();
  expect(writeXml(element("a", [element("b", "1"), element("c", "")])!)).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n<a>\n  <b>1</b>\n</a>\n',
  );
});
