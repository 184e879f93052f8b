import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DataDirectoryInUse, openDataDirectory } from "../../src/engines/data-directory/index.js";
import { pidNamespace, startTimeOf } from "../../src/engines/data-directory/process-status.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-test-directory-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const token = "0123456789abcdef";
const self = () => {
  const here = pidNamespace();
  const holder = { token, pid: process.pid, startTime: startTimeOf(process.pid), host: hostname() };
  return { ...holder, boot: here?.boot, namespace: here?.namespace };
};
const writeLock = (holder: object) => writeFile(join(folder, "lock"), JSON.stringify(holder));

/** Opens the folder in a process of its own and says how it went; holds it until killed. */
function startChild(): { said: Promise<string>; kill(): Promise<void>; pid: number } {
  const child = spawn(process.execPath, [join(import.meta.dirname, "run-typescript.mjs")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(`
    const { openDataDirectory } = await import(${JSON.stringify(join(import.meta.dirname, "../../src/engines/data-directory/index.ts"))});
    await openDataDirectory(${JSON.stringify(folder)}).then((held) => console.log("held " + held.writer), (error) => console.log(error.name));
    setInterval(() => {}, 1000);`);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    pid: child.pid!,
    said: new Promise((resolve) =>
      child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim())),
    ),
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

test("a new folder gets a writer and a secret, which stay the same, unreadable to others", async () => {
  const dir = join(folder, "new");
  const first = await openDataDirectory(dir);
  expect(first.writer).toMatch(/^w_[0-9a-z]{10}$/);
  expect(first.hashKey).toHaveLength(32);
  expect((await stat(join(dir, "identity-secret"))).mode & 0o777).toBe(0o600);
  expect((await stat(dir)).mode & 0o777).toBe(0o700);
  await first.release();
  const second = await openDataDirectory(dir);
  expect(second).toMatchObject({ dir: first.dir, writer: first.writer, hashKey: first.hashKey });
  await second.release();
  expect(await readdir(dir)).toEqual(["identity-secret", "instance.json"]);
});

test("a second process is refused, by name of the process and the folder; after kill -9 of the first it may", async () => {
  const first = startChild();
  const held = await first.said;
  expect(held).toMatch(/^held w_/);
  const refusal = await openDataDirectory(folder).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(DataDirectoryInUse);
  expect(String(refusal)).toContain(`in use by process ${first.pid}`);
  expect(String(refusal)).toContain(folder);
  await first.kill();
  const second = await openDataDirectory(folder);
  expect(`held ${second.writer}`).toBe(held);
  await second.release();
});

test("the same process is refused as well", async () => {
  const first = await openDataDirectory(folder);
  await expect(openDataDirectory(folder)).rejects.toThrow(DataDirectoryInUse);
  await first.release();
});

test("of many that race for a stale lock exactly one gets it, every time", async () => {
  for (let round = 0; round < 30; round += 1) {
    await writeLock({ ...self(), pid: 999_999_999 });
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => openDataDirectory(folder)));
    const held = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    expect(held).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(DataDirectoryInUse);
    }
    await held[0]!.release();
  }
  expect((await readdir(folder)).toSorted()).toEqual(["identity-secret", "instance.json"]);
});

test("of processes that race for a killed one's lock exactly one gets it", async () => {
  await writeLock({ ...self(), pid: 999_999_999 });
  const children = Array.from({ length: 4 }, startChild);
  const said = await Promise.all(children.map((child) => child.said));
  await Promise.all(children.map((child) => child.kill()));
  expect(said.filter((text) => text.startsWith("held"))).toHaveLength(1);
  expect(said.filter((text) => text === "DataDirectoryInUse")).toHaveLength(3);
});

test("a process that died while it took over a stale lock does not block the next", async () => {
  await writeLock({ ...self(), pid: 999_999_999 });
  await writeFile(
    join(folder, `lock.claim-${token}`),
    JSON.stringify({ ...self(), token: "fedcba9876543210", pid: 999_999_998 }),
  );
  const held = await openDataDirectory(folder);
  await held.release();
});

test.runIf(process.platform === "linux")(
  "a pid that came again as another process holds nothing",
  async () => {
    await writeLock({ ...self(), startTime: "1" });
    const held = await openDataDirectory(folder);
    await held.release();
  },
);

test.runIf(process.platform === "linux")(
  "a lock from before the machine restarted holds nothing",
  async () => {
    await writeLock({ ...self(), boot: "another boot" });
    const held = await openDataDirectory(folder);
    await held.release();
  },
);

test("a holder in another container is believed as long as it touches its lock, and no longer", async () => {
  await writeLock({ ...self(), namespace: "pid:[1]", host: "other-host" });
  const beat = setInterval(() => {
    const now = new Date();
    void utimes(join(folder, "lock"), now, now);
  }, 1000);
  await expect(openDataDirectory(folder)).rejects.toThrow(/in use by process \d+ on other-host/);
  clearInterval(beat);
  const held = await openDataDirectory(folder);
  await held.release();
});

test("a lost or cut secret stops the start: a new one would let every past event in a second time", async () => {
  await (await openDataDirectory(folder)).release();
  await rm(join(folder, "identity-secret"));
  await expect(openDataDirectory(folder)).rejects.toThrow(/lost or damaged/);
  await writeFile(join(folder, "identity-secret"), "short");
  await expect(openDataDirectory(folder)).rejects.toThrow(/lost or damaged/);
  expect(await readFile(join(folder, "lock"), "utf8").catch(() => "no lock is left")).toBe("no lock is left");
});
