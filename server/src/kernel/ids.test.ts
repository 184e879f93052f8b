import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { idFromUuidBytes, newId, parseId, uuidBytesOf } from "./ids.js";
import { instantFromMs } from "./instant.js";

const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 });
const now = instantFromMs(Date.UTC(2026, 0, 31));

describe("TypeIDs", () => {
  test("the specification's examples", () => {
    const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll("-", ""), "hex"));
    const examples: [string, string][] = [
      ["00000000-0000-0000-0000-000000000000", "00000000000000000000000000"],
      ["00000000-0000-0000-0000-000000000001", "00000000000000000000000001"],
      ["00000000-0000-0000-0000-000000000020", "00000000000000000000000010"],
      ["ffffffff-ffff-ffff-ffff-ffffffffffff", "7zzzzzzzzzzzzzzzzzzzzzzzzz"],
      ["0110c853-1d09-52d8-d73e-1194e95b5f19", "0123456789abcdefghjkmnpqrs"],
      ["01890a5d-ac96-774b-bcce-b302099a8057", "01h455vb4pex5vsknk084sn02q"],
    ];
    for (const [bytes, text] of examples) {
      expect(idFromUuidBytes("cus", hex(bytes))).toBe(`cus_${text}`);
      expect(uuidBytesOf(`cus_${text}`)).toEqual(hex(bytes));
    }
  });

  test("bytes, text and back change nothing", () => {
    fc.assert(
      fc.property(uuid, (bytes) => {
        const id = idFromUuidBytes("inv", bytes);
        expect(uuidBytesOf(id)).toEqual(bytes);
        expect(parseId("inv", id)).toBe(id);
      }),
    );
  });

  test("ids sort as their bytes do, so ids of different milliseconds sort by age", () => {
    fc.assert(
      fc.property(uuid, uuid, (left, right) => {
        const [a, b] = [idFromUuidBytes("il", left), idFromUuidBytes("il", right)];
        expect(a < b).toBe(Buffer.compare(left, right) < 0);
      }),
    );
    const later = instantFromMs(Date.UTC(2026, 0, 31) + 1);
    expect(newId("org", now) < newId("org", later)).toBe(true);
  });

  test("a new id is a UUIDv7 of its time, and no two are equal", () => {
    const ids = new Set<string>();
    for (let count = 0; count < 1000; count += 1) {
      const id = newId("mtr", now);
      ids.add(id);
      const bytes = uuidBytesOf(id);
      expect(Buffer.from(bytes.subarray(0, 6)).readUIntBE(0, 6)).toBe(Date.UTC(2026, 0, 31));
      expect(bytes[6]! >> 4).toBe(7);
      expect(bytes[8]! >> 6).toBe(2);
    }
    expect(ids.size).toBe(1000);
  });

  test("ids sort as they were made, also within a millisecond, and while other clocks go on", () => {
    const ids: string[] = [];
    for (let count = 0; count < 5_000; count += 1) {
      ids.push(newId("pay", now));
      newId("pay", instantFromMs(Date.UTC(2026, 1, 1) + count));
    }
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids.map((id) => id.slice(-9))).size).toBe(ids.length);
  });

  test("a customer's id does not pass where an invoice's belongs", () => {
    const id = newId("cus", now);
    expect(parseId("cus", id)).toBe(id);
    expect(parseId("inv", id)).toBeUndefined();
    expect(parseId("plan", newId("plv", now))).toBeUndefined();
  });

  test.each([
    "cus_",
    "cus",
    "",
    "cus_01h455vb4pex5vsknk084sn02",
    "cus_01h455vb4pex5vsknk084sn02qq",
    "cus_81h455vb4pex5vsknk084sn02q",
    "cus_01H455VB4PEX5VSKNK084SN02Q",
    "cus_01h455vb4pex5vsknk084sn02i",
    "cus_01h455vb4pex5vsknk084sn02q\n",
    "CUS_01h455vb4pex5vsknk084sn02q",
  ])("%j is none", (text) => {
    expect(parseId("cus", text)).toBeUndefined();
  });

  test("what is no id has no bytes, and 15 bytes are no id", () => {
    expect(() => uuidBytesOf("cus_nonsense")).toThrow(RangeError);
    expect(() => idFromUuidBytes("cus", new Uint8Array(15))).toThrow(RangeError);
  });
});
