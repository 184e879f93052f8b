import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

/** A Weir of its own process, as a user runs it: the built program, to be killed and started again. */
export interface WeirProcess {
  readonly url: string;
  readonly key: string;
  readonly child: ChildProcess;
  /** Everything it printed so far. */
  output(): string;
  /** SIGKILL, then waits for the process to be gone. */
  kill(): Promise<void>;
  /** SIGTERM, then waits; resolves to the exit code. */
  stop(): Promise<number | null>;
  fetch(pathname: string, init?: RequestInit): Promise<Response>;
}

export const testKey = "test-bootstrap-key-0123456789";

/** Starts a process on a data directory and waits until it says where it listens. */
export async function startWeirProcess(
  dataDir: string,
  env: Record<string, string> = {},
): Promise<WeirProcess> {
  if (!existsSync(entry))
    throw new Error(`${path.relative(process.cwd(), entry)} is missing: run npm run build`);
  const child = spawn(process.execPath, [entry], {
    env: {
      ...process.env,
      WEIR_DATA_DIR: dataDir,
      WEIR_HTTP_PORT: "0",
      WEIR_OTLP_HTTP_PORT: "0",
      WEIR_OTLP_GRPC_PORT: "0",
      WEIR_DEMO: "off",
      WEIR_BOOTSTRAP_KEY: testKey,
      WEIR_LOG_LEVEL: "warn",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const gone = once(child, "exit");
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Weir did not start in 60 s:\n${output}`)), 60_000);
    const take = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-200_000);
      const found = /Weir is ready at (http:\/\/\S+)/.exec(output)?.[1];
      if (found !== undefined) {
        clearTimeout(timer);
        resolve(found);
      }
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`Weir ended with ${code ?? signal} before it was ready:\n${output}`));
    });
  });
  return {
    url,
    key: testKey,
    child,
    output: () => output,
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
    async stop() {
      child.kill("SIGTERM");
      await gone;
      return child.exitCode;
    },
    fetch: (pathname, init = {}) =>
      fetch(new URL(pathname, url), {
        ...init,
        headers: { authorization: `Bearer ${testKey}`, ...(init.headers as Record<string, string>) },
      }),
  };
}
