import { expect, test } from "vitest";
import { tokenFault, withoutCardNumbers } from "./card-token.js";

test("a vault's token is taken as it is", () => {
  for (const token of ["tok_4f2a9c", "A1B2-C3D4", "9f86d081884c7d65", "1234567890123456", "vault/12:ab+cd="])
    expect(tokenFault(token), token).toBeUndefined();
});

test("what may be a card's number is refused, however it is written", () => {
  for (const number of ["4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "378282246310005"])
    expect(tokenFault(number), number).toContain("looks like a card's number");
});

test("a text that people wrote keeps its numbers, but for those that may be cards'", () => {
  expect(withoutCardNumbers("order 123456789012345, card 4111-1111-1111-1111.")).toBe(
    "order 123456789012345, card ****1111.",
  );
});

test("what no file could carry is refused", () => {
  for (const text of ["", " ", "tok\n1", "tok,1", '"tok"', "=1+1", "x".repeat(65)])
    expect(tokenFault(text), text).toContain("a token has");
});
