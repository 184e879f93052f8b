import { expect, test } from "vitest";
import { classifyFailure, ColumnarLimitExceeded, ColumnarRejected, ColumnarUnavailable } from "./errors.js";

const failure = (code: number) => new Error(`Code: ${code}. DB::Exception: no. (NAME)`);

test.each([
  ["a decimal that overflows", 407],
  ["a message that is no protobuf", 444],
  ["a protobuf value that does not fit its column", 436],
  ["a key that is too long for FixedString(16)", 131],
])("%s can never be inserted", (_, code) => {
  expect(classifyFailure("insert", failure(code), "writer")).toBeInstanceOf(ColumnarRejected);
});

test.each([
  ["a missing table", 60],
  ["a missing column", 47],
  ["a schema file that is gone", 434],
  ["too many parts", 252],
  ["too little memory", 241],
  ["a broken connection", 0],
])("%s is no fault of the rows: the insert is tried again", (_, code) => {
  expect(classifyFailure("insert", failure(code), "writer")).toBeInstanceOf(ColumnarUnavailable);
});

test("a reader's statement over its limits, or wrong in itself, is not tried again", () => {
  expect(classifyFailure("query", failure(241), "reader")).toBeInstanceOf(ColumnarLimitExceeded);
  expect(classifyFailure("query", failure(60), "reader")).toBeInstanceOf(ColumnarRejected);
});
