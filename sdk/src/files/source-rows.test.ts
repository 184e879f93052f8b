import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRows, type SourceFormat, type SourceRow } from "./source-rows.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-rows-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function open(format: SourceFormat, text: string | Buffer) {
  const file = path.join(folder, "file");
  await writeFile(file, text);
  return openRows(file, format);
}

async function all(rows: AsyncIterable<SourceRow>): Promise<SourceRow[]> {
  const found = [];
  for await (const row of rows) found.push(row);
  return found;
}

const csv = '\ufeffa,b\r\n1,"x\ny"\r\n\r\n2,é\r\n3\r\n4,"a ""b"""\r\n5,z';
const ndjson = '\ufeff{"n":1}\n\n{"n":"é"}\r\n  \n{"n":3}';

test("a file read on from behind any of its rows gives the same rows as read in one go", async () => {
  for (const [format, text, count] of [
    ["csv", csv, 5],
    ["ndjson", ndjson, 3],
  ] as const) {
    const { rows } = await open(format, text);
    const whole = await all(rows());
    expect(whole).toHaveLength(count);
    for (const [index, { bytes, row, line }] of whole.entries()) {
      expect(await all(rows({ bytes, row: row + 1, line }))).toEqual(whole.slice(index + 1));
    }
  }
});

test("a row says where it stands; one with cells too few says so, and the next is read", async () => {
  const { shape, rows } = await open("csv", csv);
  expect(shape.columns).toEqual(["a", "b"]);
  const found = await all(rows());
  expect(found[0]).toEqual({ row: 0, line: 3, bytes: 17, cells: { a: "1", b: "x\ny" } });
  expect(found[2]).toMatchObject({ row: 2, line: 6, fault: expect.stringContaining("1 cells") });
  expect(found[3]?.cells).toEqual({ a: "4", b: 'a "b"' });
  expect(found[4]?.bytes).toBe(Buffer.byteLength(csv));
});

test("quotes that cannot be followed end the file, with the line", async () => {
  const { rows } = await open("csv", 'a,b\n1,2\n"x"y,2\n3,4\n');
  await expect(all(rows())).rejects.toMatchObject({ name: "FileFault", line: 3 });
  const { rows: more } = await open("csv", 'a,b\n1,2\n3,"open\n');
  await expect(all(more())).rejects.toThrow(/quote/i);
});

test("a line over 1 MiB is passed over, and its neighbours are read", async () => {
  const { rows } = await open("ndjson", `{"n":1}\n"${"x".repeat(3_000_000)}"\n{"n":3}\n`);
  expect((await all(rows())).map(({ text, fault }) => text ?? fault)).toEqual([
    '{"n":1}',
    "the line is over 1 MiB",
    '{"n":3}',
  ]);
});

test("columns are told apart: twice the same, or none, is refused", async () => {
  await expect(open("csv", "a, a\n1,2\n")).rejects.toThrow('the column "a" comes twice');
  await expect(open("csv", "")).rejects.toThrow("empty");
});

test("a file that is not there is an error, not silence", async () => {
  await expect(openRows(path.join(folder, "none"), "csv")).rejects.toThrow("ENOENT");
});
