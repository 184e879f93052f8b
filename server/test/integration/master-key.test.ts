import { chmod, readFile, rm, stat, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { MasterKeyUnusable, openSecrets, type Secrets } from "../../src/engines/secrets/index.js";
import type { Postgres } from "../../src/engines/postgres/index.js";
import { silentLog, type Log } from "../../src/kernel/log.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { openTestPostgres } from "./embedded-postgres.js";

let postgres: Postgres;
let remove: () => Promise<void>;
let folder: { dir: string; remove(): Promise<void> };
const context = "webhook_endpoints:org_1:whe_1";
const opened: Secrets[] = [];
async function open(masterKeys?: readonly Uint8Array[], dataDir = folder.dir, log: Log = silentLog) {
  const secrets = await openSecrets({ masterKeys, dataDir, postgres, log });
  opened.push(secrets);
  return secrets;
}
const file = () => path.join(folder.dir, "master.key");

/** Waits until the database knows so many keys. */
const registered = (count: number) =>
  vi.waitFor(
    async () => {
      const keys = await postgres.asSystem((sql) => sql`SELECT FROM master_keys`);
      expect(keys).toHaveLength(count);
    },
    { timeout: 60_000 },
  );

beforeAll(async () => ({ postgres, remove } = await openTestPostgres()));
afterAll(() => remove());
beforeEach(async () => {
  await postgres.setUp(async (sql) => void (await sql`DELETE FROM master_keys`));
  folder = await temporaryFolder("master-key");
  return async () => {
    // None registers its key after the next test took all away.
    await Promise.allSettled(opened.splice(0).map((secrets) => secrets.ready()));
    await folder.remove();
  };
});

describe("without WEIR_MASTER_KEY", () => {
  test("the first start makes a key that only its owner may read, and later ones use it", async () => {
    const sealed = (await open()).seal("secret", context);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(Buffer.from(await readFile(file(), "utf8"), "base64")).toHaveLength(32);
    expect((await open()).openText(sealed, context)).toBe("secret");
  });

  test("a start without the file, beside what was sealed, is refused and makes no other key", async () => {
    (await open()).seal("secret", context);
    await registered(1);
    await rm(file());
    const refusal = await open().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(MasterKeyUnusable);
    expect(String(refusal)).toMatch(/sealed with the master key [0-9a-f]{16}, which was not given/);
    expect(String(refusal)).toContain("WEIR_MASTER_KEY");
    await expect(stat(file())).rejects.toThrow(/ENOENT/);
  });

  test("several data directories on one database come up while nothing is sealed; then those with another key are refused", async () => {
    const others = await Promise.all([1, 2, 3].map((n) => temporaryFolder(`master-key-${n}`)));
    const opened = await Promise.all(others.map(({ dir }) => open(undefined, dir)));
    const ready = await Promise.allSettled(opened.map((secrets) => secrets.ready()));
    expect(ready.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const [n, one] of ready.entries()) {
      if (one.status === "fulfilled") await open(undefined, others[n]?.dir);
      else {
        expect(one.reason).toBeInstanceOf(MasterKeyUnusable);
        await expect(open(undefined, others[n]?.dir)).rejects.toThrow(MasterKeyUnusable);
      }
    }
    await Promise.all(others.map((other) => other.remove()));
  });

  test("a key that PostgreSQL could not be told of is told with its next use", async () => {
    let isAway = false;
    const away: Postgres = {
      ...postgres,
      asSystem: (work) => (isAway ? Promise.reject(new Error("away")) : postgres.asSystem(work)),
    };
    const secrets = await openSecrets({ dataDir: folder.dir, postgres: away, log: silentLog });
    isAway = true;
    await expect(secrets.ready()).rejects.toThrow("away");
    isAway = false;
    secrets.seal("secret", context);
    await registered(1);
  });

  test("a damaged file is told", async () => {
    await open();
    await writeFile(file(), "c2hvcnQ=\n");
    await expect(open()).rejects.toThrow(/master\.key is damaged.*Restore it from a backup/s);
  });

  test("a file that others may read is warned of", async () => {
    await open();
    await writeFile(file(), await readFile(file()), { mode: 0o644 });
    await chmod(file(), 0o644);
    const warnings: string[] = [];
    await open(undefined, folder.dir, { ...silentLog, warn: (message) => void warnings.push(message) });
    expect(warnings).toEqual([expect.stringContaining("chmod 600")]);
  });
});

describe("with WEIR_MASTER_KEY", () => {
  const [a, b] = [randomBytes(32), randomBytes(32)];

  test("no file is made; a new first key seals, the old ones open, and hashes stay", async () => {
    const before = await open([a]);
    const sealed = before.seal("secret", context);
    await registered(1);
    await expect(stat(file())).rejects.toThrow(/ENOENT/);
    const after = await open([b, a]);
    expect(after.openText(sealed, context)).toBe("secret");
    expect(after.isCurrent(sealed)).toBe(false);
    expect(after.keyedHash("4242", "card")).toBe(before.keyedHash("4242", "card"));
    expect((await open([a, b])).keyedHash("4242", "card")).toBe(before.keyedHash("4242", "card"));
  });

  test("leaving out a key that has sealed is refused, whichever it is", async () => {
    await (await open([a])).ready();
    await (await open([b, a])).ready();
    await expect(open([b])).rejects.toThrow(MasterKeyUnusable);
    await expect(open([a])).rejects.toThrow(MasterKeyUnusable);
  });

  test("moving from the file to the variable: the refusal says to append the file's key, and then it works", async () => {
    const sealed = (await open()).seal("secret", context);
    await registered(1);
    await expect(open([a])).rejects.toThrow(/master\.key holds the key [0-9a-f]{16}.*behind the others/s);
    const kept = Buffer.from(await readFile(file(), "utf8"), "base64");
    expect((await open([a, kept])).openText(sealed, context)).toBe("secret");
  });
});
