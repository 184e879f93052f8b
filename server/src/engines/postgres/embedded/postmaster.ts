import { spawn, type ChildProcess } from "node:child_process";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../../kernel/log.js";
import { isRunning } from "../../data-directory/index.js";
import type { ConnectionTarget } from "../connection-target.js";
import { UnusableDatabase } from "../unusable-database.js";
import { awaitEmpty, isAdoptable, isOurs } from "./adoption.js";
import type { Binaries } from "./binaries.js";
import { superuser_name } from "./create-cluster.js";
import { dataArgument, program_environment } from "./data-argument.js";
import { readPostmasterFile, type PostmasterFile } from "./postmaster-file.js";
import type { RunAs } from "./run-as.js";
import { clusterName, serverArguments, socket_port } from "./server-settings.js";
import { clearSocketFolder, makeSocketFolder, removeSocketFolder } from "./socket-folder.js";

export interface PostmasterOptions {
  readonly folder: string;
  readonly binaries: Binaries;
  readonly runAs: RunAs | undefined;
  readonly log: Log;
}

const poll_ms = 10;
const watch_ms = 1000;
// Recovery after a crash replays at most max_wal_size; a slow disk may take a while over it.
const start_seconds_max = 300;
const fast_stop_seconds_max = 6;
const immediate_stop_seconds_max = 5;
const leftover_seconds_max = 10;
const log_bytes_max = 10 * 1024 * 1024;

/** The PostgreSQL server over one folder: started or adopted, watched, started again when it dies, stopped at the end. */
export class Postmaster {
  readonly #on: PostmasterOptions;
  #pid = 0;
  #socketFolder = "";
  #watch: NodeJS.Timeout | undefined;
  #restart: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(options: PostmasterOptions) {
    this.#on = options;
  }

  /** Resolves when connections are answered. @throws UnusableDatabase with the end of the server's log */
  async run(): Promise<void> {
    const left = await this.#settleLeftover();
    if (left === undefined) {
      this.#socketFolder = await makeSocketFolder(this.#on.folder, this.#on.runAs);
      await clearSocketFolder(this.#socketFolder);
      await this.#start();
    } else {
      this.#pid = left.pid;
      this.#socketFolder = left.socketFolder;
      this.#on.log.info("Adopted the PostgreSQL that an earlier process left running", { pid: left.pid });
    }
    this.#watch = setInterval(() => this.#restartIfDead(), watch_ms).unref();
  }

  superuser(): ConnectionTarget {
    return {
      host: this.#socketFolder,
      port: socket_port,
      user: superuser_name,
      database: "postgres",
      password: "",
      settings: {},
    };
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#watch);
    await this.#restart;
    await this.#stopProcess(this.#pid);
    await removeSocketFolder(this.#socketFolder);
  }

  /** What a killed process left: adopted when it answers and is of this version and these settings, stopped otherwise. */
  async #settleLeftover(): Promise<PostmasterFile | undefined> {
    const { folder, binaries, log } = this.#on;
    const left = await readPostmasterFile(folder);
    if (left === undefined) return undefined;
    if (!isRunning(left.pid) || !(await isOurs(folder, left.pid))) {
      await this.#clearDeadFile();
      return undefined;
    }
    const settled = left.status === "starting" ? await this.#awaitReady(left.pid) : left;
    if (settled?.status === "ready") {
      const target = { ...this.superuser(), host: settled.socketFolder, port: settled.port };
      if (await isAdoptable(target, folder, clusterName(binaries.version), log)) return settled;
    }
    log.info("Stopping the PostgreSQL that an earlier process left running", { pid: left.pid });
    await this.#stopProcess(left.pid);
    await removeSocketFolder(left.socketFolder);
    return undefined;
  }

  /**
   * PostgreSQL clears the file of a dead postmaster itself, but takes a zombie, or another program that the pid came
   * again as, for a running server and refuses to start.
   */
  async #clearDeadFile(): Promise<void> {
    if (!(await awaitEmpty(this.#on.folder, leftover_seconds_max))) return; // it will say why it does not start
    await rm(join(this.#on.folder, "postmaster.pid"), { force: true });
    if (this.#socketFolder !== "") await clearSocketFolder(this.#socketFolder);
  }

  async #start(): Promise<void> {
    const startedAt = performance.now();
    const { log } = this.#on;
    for (let attempt = 1; ; attempt += 1) {
      const { child, logFrom } = await this.#spawn();
      const pid = child.pid;
      const ready = pid === undefined ? undefined : await this.#awaitReady(pid);
      if (pid !== undefined && ready !== undefined) {
        this.#pid = pid;
        log.info("PostgreSQL started", { pid, ms: Math.round(performance.now() - startedAt) });
        return;
      }
      const tail = await this.#logTail(logFrom);
      // After a kill -9 of the postmaster its backends take a moment to notice.
      if (attempt < 20 && tail.includes("pre-existing shared memory block")) {
        await sleep(250);
        continue;
      }
      throw new UnusableDatabase(`PostgreSQL did not start (${this.#on.binaries.postgres}):\n${tail}`);
    }
  }

  async #spawn(): Promise<{ child: ChildProcess; logFrom: number }> {
    const { folder, binaries, runAs } = this.#on;
    const logFile = this.#logFile();
    const size = (await stat(logFile).catch(() => undefined))?.size ?? 0;
    if (size > log_bytes_max) await rename(logFile, `${logFile}.1`);
    const output = await open(logFile, "a", 0o600);
    try {
      const child = spawn(
        binaries.postgres,
        ["-D", dataArgument(folder, runAs), ...serverArguments(binaries.version, this.#socketFolder)],
        // Detached: Ctrl-C in a terminal goes to the whole process group, and we stop it ourselves, after draining.
        {
          cwd: folder,
          env: program_environment,
          stdio: ["ignore", output.fd, output.fd],
          detached: true,
          ...runAs,
        },
      );
      child.on("error", (error) =>
        this.#on.log.error("PostgreSQL's program cannot be run", { reason: error.message }),
      );
      child.unref();
      return { child, logFrom: size > log_bytes_max ? 0 : size };
    } finally {
      await output.close();
    }
  }

  /** @returns undefined when the process ended instead */
  async #awaitReady(pid: number): Promise<PostmasterFile | undefined> {
    const giveUpAt = performance.now() + start_seconds_max * 1000;
    while (isRunning(pid)) {
      const file = await readPostmasterFile(this.#on.folder);
      if (file?.pid === pid && file.status === "ready") return file;
      if (performance.now() > giveUpAt) {
        await this.#stopProcess(pid);
        return undefined;
      }
      await sleep(poll_ms);
    }
    return undefined;
  }

  #restartIfDead(): void {
    if (this.#isStopping || isRunning(this.#pid)) return;
    clearInterval(this.#watch);
    this.#on.log.error("PostgreSQL ended by itself; starting it again", { pid: this.#pid });
    this.#restart = this.#clearDeadFile()
      .then(() => this.#start())
      .catch((error: unknown) => {
        this.#on.log.error("PostgreSQL does not start", {
          reason: error instanceof Error ? error.message : String(error),
        });
      })
      .finally(() => {
        if (!this.#isStopping) this.#watch = setInterval(() => this.#restartIfDead(), watch_ms).unref();
      });
  }

  async #stopProcess(pid: number): Promise<void> {
    // SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one (recovery at the next start, nothing committed lost).
    const steps: [NodeJS.Signals, number][] = [
      ["SIGINT", fast_stop_seconds_max],
      ["SIGQUIT", immediate_stop_seconds_max],
      ["SIGKILL", immediate_stop_seconds_max],
    ];
    for (const [signal, seconds] of steps) {
      if (!isRunning(pid)) return;
      process.kill(pid, signal);
      const giveUpAt = performance.now() + seconds * 1000;
      while (isRunning(pid) && performance.now() < giveUpAt) await sleep(poll_ms);
    }
  }

  #logFile(): string {
    return join(dirname(this.#on.folder), "postgres.log");
  }

  async #logTail(from: number): Promise<string> {
    const bytes = await readFile(this.#logFile()).catch(() => Buffer.alloc(0));
    return bytes.subarray(from).toString("utf8").trim().split("\n").slice(-8).join("\n");
  }
}
