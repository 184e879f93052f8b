import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../bin/weir.mjs", import.meta.url));

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line as a user runs it: the built program, in a process of its own. */
export function weirCommand(url: string, key: string) {
  /** Runs `weir ...args` to its end. */
  const weir = (...args: string[]): Promise<CommandResult> => runWith({ WEIR_URL: url, WEIR_KEY: key }, args);

  /** Runs `weir --json ...args`, which must succeed, and reads what it prints. */
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await weir("--json", ...args);
    if (code !== 0) throw new Error(`weir ${args.join(" ")} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  };
  return { weir, json };
}

export async function runWith(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  options: { readonly input?: string; readonly killWhen?: (stderr: string) => boolean } = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [program, ...args], { env: { PATH: process.env["PATH"], ...env } });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    if (options.killWhen?.(stderr) === true) child.kill("SIGKILL");
  });
  child.stdin.end(options.input ?? "");
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? -1, stdout, stderr };
}
