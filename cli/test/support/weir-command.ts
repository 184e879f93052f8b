import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export const program = fileURLToPath(new URL("../../bin/weir.mjs", import.meta.url));

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A word of a command line, or several that belong together. */
type Words = string | readonly string[];

/** The command line as a user runs it: the built program, in a process of its own. */
export function weirCommand(url: string, key: string) {
  /** Runs `weir ...args` to its end. */
  const weir = (...args: Words[]): Promise<CommandResult> =>
    runWith({ WEIR_URL: url, WEIR_KEY: key }, args.flat());

  /** Runs `weir --json ...args`, which must succeed, and reads what it prints. */
  const json = async <T>(...args: Words[]): Promise<T> => {
    const { code, stdout, stderr } = await weir("--json", ...args);
    if (code !== 0) throw new Error(`weir ${args.flat().join(" ")} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  };
  return { weir, json };
}

export interface RunOptions {
  readonly input?: string;
  /** SIGKILL after this long. */
  readonly kill_ms?: number;
  /** SIGKILL once this was printed. */
  readonly killAt?: string;
  /** SIGKILL once this is so; asked again and again. */
  readonly killWhen?: () => Promise<boolean>;
}

/** Runs `weir` with exactly this environment. A killed one has the code -1. */
export async function runWith(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  { input = "", kill_ms, killAt, killWhen }: RunOptions = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [program, ...args], { env: { PATH: process.env["PATH"], ...env } });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (killAt !== undefined && stdout.includes(killAt)) child.kill("SIGKILL");
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => undefined).end(input);
  const timer = kill_ms === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), kill_ms);
  void (async () => {
    while (killWhen !== undefined && child.exitCode === null && child.signalCode === null)
      if (await killWhen().catch(() => false)) child.kill("SIGKILL");
      else await new Promise((resolve) => setTimeout(resolve, 5));
  })();
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return { code: code ?? -1, stdout, stderr };
}
