// IBM code page 500 (EBCDIC, international): the Latin-1 character of every byte, in hexadecimal. Node's TextDecoder lacks it.
const latin1_of_cp500 =
  "000102039c09867f978d8e0b0c0d0e0f101112139d8508871819928f1c1d1e1f" +
  "80818283840a171b88898a8b8c050607909116939495960498999a9b14159e1a" +
  "20a0e2e4e0e1e3e5e7f15b2e3c282b2126e9eaebe8edeeefecdf5d242a293b5e" +
  "2d2fc2c4c0c1c3c5c7d1a62c255f3e3ff8c9cacbc8cdcecfcc603a2340273d22" +
  "d8616263646566676869abbbf0fdfeb1b06a6b6c6d6e6f707172aabae6b8c6a4" +
  "b57e737475767778797aa1bfd0dddeaea2a3a5b7a9a7b6bcbdbeac7cafa8b4d7" +
  "7b414243444546474849adf4f6f2f3f57d4a4b4c4d4e4f505152b9fbfcf9faff" +
  "5cf7535455565758595ab2d4d6d2d3d530313233343536373839b3dbdcd9da9f";

const toLatin1 = Buffer.from(latin1_of_cp500, "hex");
const fromLatin1 = Buffer.alloc(256);
for (const [byte, character] of toLatin1.entries()) fromLatin1[character] = byte;

/** The text of bytes in code page 500; each byte is one character. */
export function decodeCp500(bytes: Uint8Array): string {
  return mapped(bytes, toLatin1).toString("latin1");
}

/** The bytes of a text whose characters are all in Latin-1. */
export function encodeCp500(text: string): Uint8Array {
  return mapped(Buffer.from(text, "latin1"), fromLatin1);
}

function mapped(bytes: Uint8Array, table: Uint8Array): Buffer {
  const result = Buffer.allocUnsafe(bytes.length);
  for (let at = 0; at < bytes.length; at += 1) result[at] = table[bytes[at] ?? 0] ?? 0;
  return result;
}
