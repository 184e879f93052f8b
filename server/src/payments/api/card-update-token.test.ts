import { expect, test } from "vitest";
import { createSecrets } from "../../engines/secrets/create-secrets.js";
import { MasterKey } from "../../engines/secrets/index.js";
import { newId } from "../../kernel/ids.js";
import { instantFromMs } from "../../kernel/instant.js";
import { readCardUpdateToken, writeCardUpdateToken, type CardUpdateGrant } from "./card-update-token.js";

const secretsOf = (fill: number) => createSecrets([new MasterKey(Buffer.alloc(32, fill))]);
const secrets = secretsOf(1);
const now = instantFromMs(Date.UTC(2028, 0, 1));
const grant: CardUpdateGrant = {
  organization: newId("org", now),
  customer: newId("cus", now),
  account: newId("pac", now),
  expiresAt: instantFromMs(Date.UTC(2028, 0, 31)),
};
const token = writeCardUpdateToken(secrets, grant);

test("what was granted is read back, in a text that a path takes", () => {
  expect(readCardUpdateToken(secrets, token)).toEqual(grant);
  expect(token).toMatch(/^[A-Za-z0-9_-]{116}$/);
});

test("a token with any bit changed is none", () => {
  const bytes = Buffer.from(token, "base64url");
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(readCardUpdateToken(secrets, changed.toString("base64url"))).toBeUndefined();
  }
});

test("a token of another Weir, cut, longer, padded or empty is none", () => {
  const others = [
    writeCardUpdateToken(secretsOf(2), grant),
    token.slice(0, -1),
    `${token}A`,
    `${token}=`,
    `${token.slice(0, 10)} ${token.slice(10)}`,
    "",
    "done",
  ];
  for (const other of others) expect(readCardUpdateToken(secrets, other)).toBeUndefined();
});
