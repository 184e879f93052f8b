import { Weir } from "@weir/sdk";
import type { Command } from "commander";

/** What every command gets: a client, and how to print. */
export interface CliContext {
  readonly weir: Weir;
  readonly json: boolean;
  readonly out: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

interface GlobalOptions {
  readonly url?: string;
  readonly key?: string;
  readonly json?: boolean;
}

export const defaultUrl = "http://127.0.0.1:8080";

/** Reads the global options. @throws UsageError without a key */
export function contextOf(command: Command): CliContext {
  const { url, key, json } = command.optsWithGlobals<GlobalOptions>();
  const apiKey = key ?? process.env["WEIR_KEY"];
  if (apiKey === undefined || apiKey === "") {
    throw new UsageError(
      "An API key is needed: set WEIR_KEY or give --key. Weir prints one at its first start.",
    );
  }
  const baseUrl = url ?? process.env["WEIR_URL"] ?? defaultUrl;
  if (!URL.canParse(baseUrl)) throw new UsageError(`"${baseUrl}" is not a URL such as ${defaultUrl}`);
  return {
    weir: new Weir({ baseUrl, apiKey }),
    json: json === true,
    out: process.stdout,
    err: process.stderr,
  };
}
