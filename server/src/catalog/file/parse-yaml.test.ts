import { expect, test } from "vitest";
import { NumberText } from "../core/index.js";
import { parseYaml } from "./parse-yaml.js";

const faultsOf = (text: string) =>
  parseYaml(text).faults.map(({ line, column, message }) => `${line}:${column} ${message}`);

test("numbers stay as they were written; a number of more than 15 digits must be quoted", () => {
  const { value, faults } = parseYaml('a: 0.10\nb: "0.1000000000000000000001"\nc: 1e3\nd: 2026-01-01\n');
  expect(value).toEqual({
    a: new NumberText("0.10"),
    b: "0.1000000000000000000001",
    c: new NumberText("1e3"),
    d: "2026-01-01",
  });
  expect(faults).toEqual([]);
  expect(faultsOf("x:\n  a: 123456789012345\n  b: 0.1234567890123456\n")).toEqual([
    '3:6 0.1234567890123456 has more than 15 digits: quote it, "0.1234567890123456"',
  ]);
});

test("a path is located at its value, at its name when that is larger, and else at what is around it", () => {
  const parsed = parseYaml("plans:\n  - key: a\n    prices:\n      - key: b\n");
  const positionOf = (path: string) => parsed.positionOf(path);
  expect(positionOf("plans[0].key")).toEqual({ line: 2, column: 10 });
  expect(positionOf("plans[0].prices")).toEqual({ line: 3, column: 5 });
  expect(positionOf("plans[0].prices[0].meter")).toEqual({ line: 4, column: 9 });
  expect(positionOf("nowhere.at[0].all")).toEqual({ line: 1, column: 1 });
});

test("syntax faults, names that are there twice, a second document and tags are refused where they stand", () => {
  expect(faultsOf("a: [1, 2\nb: 3\n")[0]).toMatch(/^[12]:/);
  expect(faultsOf("a: 1\nb: 2\na: 3\n")).toEqual(['3:1 "a" is there twice']);
  expect(faultsOf("a: 1\n---\nb: 2\n")).toHaveLength(1);
  expect(faultsOf("a: !!js/function 'x'\n")).toHaveLength(1);
  expect(faultsOf("\tx: 1\n")).not.toEqual([]);
});

test("aliases are read; one of itself, one of nothing, and a bomb are refused", () => {
  expect(parseYaml("a: &x { b: 1 }\nc: *x\n").value).toEqual({
    a: { b: new NumberText("1") },
    c: { b: new NumberText("1") },
  });
  expect(faultsOf("a: *x\n")[0]).toMatch(/^1:4 /);
  expect(faultsOf("a: &x [*x]\n")).toEqual(["1:8 an alias of itself"]);
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 12; level += 1)
    lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(", ")}]`);
  const before = performance.now();
  const [fault] = faultsOf(lines.join("\n"));
  expect(fault).toMatch(/more than (1000 aliases|150000 values)/);
  expect(performance.now() - before).toBeLessThan(2000);
});

test("what would bring the parser down or keep it for seconds is refused before", () => {
  const mib = 1024 * 1024;
  const texts: Record<string, [text: string, fault: RegExp]> = {
    brackets: ["[".repeat(mib), /^1:31 nested more than 30 deep/],
    braces: ["{a: ".repeat(mib / 4), /nested more than 30 deep/],
    dashes: ["- ".repeat(mib / 2), /nested more than 30 deep/],
    questions: ["? ".repeat(mib / 2), /nested more than 30 deep/],
    steps: [
      Array.from({ length: 1400 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
      /indented by more than 300/,
    ],
    quotes: ['"'.repeat(mib), /more than 400000 values/],
    commas: [`[${"1,".repeat(mib / 2 - 2)}]`, /more than 400000 values/],
    anchors: ["&a ".repeat(mib / 3), /more than 1000 aliases, anchors and tags/],
    tags: ["!a ".repeat(mib / 3), /more than 1000 aliases, anchors and tags/],
    aliases: [`a: &x 1\nb: [${"*x,".repeat(mib / 4)}]`, /more than 1000 aliases/],
  };
  for (const [name, [text, fault]] of Object.entries(texts)) {
    expect([name, ...faultsOf(text)]).toEqual([name, expect.stringMatching(fault)]);
  }
});

test("brackets in text are text, however many", () => {
  const brackets = "[".repeat(100);
  const parsed = parseYaml(`a: "${brackets}"\nb: x${brackets}\nc: |\n  ${brackets}\n# ${brackets}\n`);
  expect(parsed.faults).toEqual([]);
  expect(parsed.value).toEqual({ a: brackets, b: `x${brackets}`, c: `${brackets}\n` });
});

test("a large file of names is read", () => {
  const names = Array.from({ length: 60_000 }, (_, index) => `name${index}: 1`).join("\n");
  expect(parseYaml(names).faults).toEqual([]);
});
