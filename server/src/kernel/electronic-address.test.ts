import { expect, test } from "vitest";
import { formatElectronicAddress, parseElectronicAddress } from "./electronic-address.js";

test("an electronic address names its scheme", () => {
  const parsed = parseElectronicAddress(" 0204:991-01234-56 ");
  expect(parsed).toEqual({ ok: true, value: { scheme: "0204", value: "991-01234-56" } });
  if (parsed.ok) expect(formatElectronicAddress(parsed.value)).toBe("0204:991-01234-56");
  expect(parseElectronicAddress("em:billing@acme.example")).toMatchObject({
    ok: true,
    value: { scheme: "EM" },
  });
});

test("one without a scheme, of an unknown scheme or with blanks is told what to write", () => {
  for (const text of ["", "acme", "1234:x", ":x"])
    expect(parseElectronicAddress(text)).toMatchObject({ ok: false, fault: /EAS.*0204:/ });
  for (const text of ["0088:", "0088:a b", `0088:${"x".repeat(257)}`, "0088:é"])
    expect(parseElectronicAddress(text)).toMatchObject({ ok: false, fault: /1 to 256 characters/ });
});
