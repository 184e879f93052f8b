import { expect, test } from "vitest";
import { formatElectronicAddress, isInPeppol, parseElectronicAddress } from "./electronic-address.js";

test("an electronic address names its scheme", () => {
  const parsed = parseElectronicAddress(" 0204:991-01234-56 ");
  expect(parsed).toEqual({ ok: true, value: { scheme: "0204", value: "991-01234-56" } });
  if (parsed.ok) expect(formatElectronicAddress(parsed.value)).toBe("0204:991-01234-56");
  expect(parseElectronicAddress("em:billing@acme.example")).toMatchObject({
    ok: true,
    value: { scheme: "EM" },
  });
});

test("an e-mail address is an electronic address, and none of the Peppol network", () => {
  const inPeppol = (text: string) => {
    const parsed = parseElectronicAddress(text);
    return parsed.ok && isInPeppol(parsed.value);
  };
  expect(inPeppol("EM:billing@acme.example")).toBe(false);
  expect(inPeppol("0088:4035811991014")).toBe(true);
  expect(inPeppol("9930:DE123456789")).toBe(true);
});

test("one without a scheme, of an unknown scheme or with blanks is told what to write", () => {
  for (const text of ["", "acme", "1234:x", ":x"])
    expect(parseElectronicAddress(text)).toMatchObject({ ok: false, fault: /EAS.*0204:/ });
  for (const text of ["0088:", "0088:a b", `0088:${"x".repeat(257)}`, "0088:é"])
    expect(parseElectronicAddress(text)).toMatchObject({ ok: false, fault: /1 to 256 characters/ });
});
