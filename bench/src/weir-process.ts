import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sleep } from "./figure.js";

const server_entry = fileURLToPath(new URL("../../server/dist/main.js", import.meta.url));
const ready_seconds_max = 120;
const stop_seconds_max = 30;

/** The real server, in a process of its own, on a data directory of the bench's. */
export class WeirProcess {
  readonly url: string;
  /** Seconds from spawn to the first 200 of /readyz. */
  readonly readySeconds: number;
  readonly #child: ChildProcess;

  private constructor(
    readonly dataDir: string,
    readonly port: number,
    readonly key: string,
    child: ChildProcess,
    readySeconds: number,
  ) {
    this.url = `http://127.0.0.1:${port}`;
    this.readySeconds = readySeconds;
    this.#child = child;
  }

  static async start(dataDir: string, env: Readonly<Record<string, string>> = {}): Promise<WeirProcess> {
    mkdirSync(dataDir, { recursive: true });
    const ports = [await freePort(), await freePort(), await freePort()];
    const port = ports[0] ?? 0;
    const key = bench_key;
    const log = openSync(join(dataDir, "..", `${dataDir.split("/").at(-1)}.log`), "a");
    const started = performance.now();
    const child = spawn(process.execPath, [server_entry], {
      stdio: ["ignore", log, log],
      env: {
        ...process.env,
        WEIR_DATA_DIR: dataDir,
        WEIR_HTTP_PORT: String(port),
        WEIR_OTLP_HTTP_PORT: String(ports[1]),
        WEIR_OTLP_GRPC_PORT: String(ports[2]),
        WEIR_DEMO: "off",
        WEIR_BOOTSTRAP_KEY: key,
        WEIR_LOG_LEVEL: "warn",
        ...env,
      },
    });
    closeSync(log);
    const ended = once(child, "exit").then(
      ([code]) => `the server ended with ${String(code)}; see the log beside ${dataDir}`,
    );
    for (;;) {
      const seconds = (performance.now() - started) / 1000;
      if (await answersReady(port)) return new WeirProcess(dataDir, port, key, child, seconds);
      if (seconds > ready_seconds_max) {
        child.kill("SIGKILL");
        throw new Error(
          `the server was not ready within ${ready_seconds_max} s; see the log beside ${dataDir}`,
        );
      }
      const reason = await Promise.race([ended, sleep(10)]);
      if (reason !== undefined) throw new Error(reason);
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Seconds of processor time used so far, all threads. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Proportional resident memory in bytes: of the server, and of the PostgreSQL it started. */
  memory(): { server: number; postgres: number } {
    const postgres = postgresPids(this.dataDir).reduce((sum, pid) => sum + residentBytes(pid), 0);
    return { server: residentBytes(this.pid), postgres };
  }

  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 500)}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** SIGTERM, as an operator does; SIGKILL and an error when that takes too long. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const late = sleep(stop_seconds_max * 1000).then(() => "late" as const);
    if ((await Promise.race([exited, late])) === "late") {
      this.#child.kill("SIGKILL");
      throw new Error(`the server did not stop within ${stop_seconds_max} s`);
    }
  }
}

const bench_key = `bench-${randomBytes(18).toString("hex")}`;

async function answersReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

function residentBytes(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The postmaster that serves this data directory, and its children. */
function postgresPids(dataDir: string): number[] {
  const [file] = findFiles(dataDir, "postmaster.pid");
  if (file === undefined) return [];
  const postmaster = Number(readFileSync(file, "utf8").split("\n")[0]);
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === postmaster);
  return [postmaster, ...children];
}

function findFiles(dir: string, name: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(name))
    .map((path) => join(dir, path));
}

function parentOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[1]);
  } catch {
    return 0;
  }
}
