// npm run test:postgres: everything that touches PostgreSQL, against a server that is not the embedded one, as
// DATABASE_URL has it. It starts a cluster of its own in a temporary folder with the programs that the system has
// (15 or newer), and never touches a cluster that is there. Without such programs it says so and skips.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { vitest } from "./vitest.mjs";
import { prepare, root } from "./workspace.mjs";

const version_min = 15;
const seconds_max = 900;
const files = [
  "test/postgres-server/",
  "integration/postgres-identity.test",
  "integration/postgres-isolation.test",
  "integration/postgres-keys-api.test",
  "integration/postgres-migrations.test",
  "integration/ledger",
  "integration/billing",
  "integration/isolation.test",
  "integration/repeated-changes.test",
];

const programs = findPrograms();
if (programs === undefined) {
  console.log(`SKIPPED: there is no PostgreSQL server of version ${version_min} or newer to test DATABASE_URL against.
Install one and run this again:
  Debian, Ubuntu   apt-get install -y postgresql
  Fedora           dnf install -y postgresql-server
  macOS            brew install postgresql@17
or put the folder with initdb and pg_ctl into PATH. No service has to run: the test starts a cluster of its own.

0 passed, 0 failed, ${countTests()} skipped`);
  process.exit(0);
}

prepare();
const folder = mkdtempSync(path.join(os.tmpdir(), "weir-pg-"));
// PostgreSQL refuses to run as root: then it is nobody's.
const nobody = process.getuid?.() === 0 ? idsOf("nobody") : undefined;
const data = path.join(folder, "data");
mkdirSync(data, { mode: 0o700 });
chmodSync(folder, 0o755);
if (nobody !== undefined) for (const each of [folder, data]) chownSync(each, nobody.uid, nobody.gid);
const port = await freePort();
let counts = { passed: 0, failed: 1, skipped: 0 };
try {
  run("initdb", [
    "-D",
    data,
    "-U",
    "postgres",
    "-E",
    "UTF8",
    "--locale=C",
    "--auth-local=trust",
    "--auth-host=scram-sha-256",
  ]);
  const options = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c max_connections=200`;
  run("pg_ctl", ["-D", data, "-w", "-l", path.join(folder, "log"), "-o", options, "start"]);
  console.log(`PostgreSQL ${programs.version} of ${programs.folder} runs on 127.0.0.1:${port}`);
  counts = test(`postgresql://postgres@localhost:${port}/postgres?host=${encodeURIComponent(folder)}`);
} catch (error) {
  console.error(error.message, existsSync(path.join(folder, "log")) ? tail(path.join(folder, "log")) : "");
} finally {
  if (existsSync(path.join(data, "postmaster.pid")))
    run("pg_ctl", ["-D", data, "-w", "-m", "immediate", "stop"]);
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed === 0 ? 0 : 1);

/** One file after the other: roles belong to the whole server, and some tests spoil them for a moment. */
function test(server) {
  return vitest(["--project=server", "--no-file-parallelism", ...files], {
    env: { WEIR_TEST_POSTGRES: server },
    seconds_max,
  });
}

/** Where initdb and pg_ctl are, the newest version first. */
function findPrograms() {
  const debian = "/usr/lib/postgresql";
  const folders = [
    ...(existsSync(debian) ? readdirSync(debian).map((version) => path.join(debian, version, "bin")) : []),
    ...(process.env.PATH ?? "").split(path.delimiter),
  ];
  return folders
    .filter((each) => existsSync(path.join(each, "initdb")) && existsSync(path.join(each, "pg_ctl")))
    .map((each) => {
      const said = spawnSync(path.join(each, "initdb"), ["--version"], { encoding: "utf8" }).stdout ?? "";
      return { folder: each, version: Number(/\b(\d+)\.\d+/.exec(said)?.[1] ?? 0) };
    })
    .filter(({ version }) => version >= version_min)
    .sort((a, b) => b.version - a.version)[0];
}

function run(program, args) {
  const { status, stdout, stderr, error } = spawnSync(path.join(programs.folder, program), args, {
    cwd: folder,
    encoding: "utf8",
    // pg_ctl's server would keep pipes open.
    stdio: program === "pg_ctl" ? "ignore" : "pipe",
    env: { ...process.env, LC_ALL: "C" },
    ...(nobody ?? {}),
  });
  if (status !== 0)
    throw new Error(`${program} ended with ${status}: ${error?.message ?? ""}${stdout ?? ""}${stderr ?? ""}`);
}

function idsOf(user) {
  const id = (flag) => Number(spawnSync("id", [flag, user], { encoding: "utf8" }).stdout);
  return { uid: id("-u"), gid: id("-g") };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port: free } = server.address();
      server.close(() => resolve(free));
    });
  });
}

function tail(file) {
  return readFileSync(file, "utf8").split("\n").slice(-40).join("\n");
}

/** How many tests are left out: those of the folder that needs a server; the others run on the embedded one anyhow. */
function countTests() {
  const under = path.join(root, "server", "test", "postgres-server");
  const texts = readdirSync(under).map((name) => readFileSync(path.join(under, name), "utf8"));
  return texts.join("\n").match(/^\s*test[.(]/gm)?.length ?? 0;
}
