const token_length_min = 8;
const token_length_max = 512;

/** The token of `Authorization: Bearer <token>`; undefined for any other header. The scheme's case does not count. */
export function parseBearer(header: string | undefined): string | undefined {
  if (header === undefined || header.length > token_length_max + 16) return undefined;
  if (header.slice(0, 7).toLowerCase() !== "bearer ") return undefined;
  const token = header.slice(7).trim();
  return token.length >= token_length_min && token.length <= token_length_max ? token : undefined;
}
