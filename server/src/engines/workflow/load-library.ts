import { createRequire } from "node:module";
import type * as Dbos from "@dbos-inc/dbos-sdk";

/** The part of the library that is used: its one class of static functions. */
export type Library = typeof Dbos.DBOS;

const require = createRequire(import.meta.url);

/**
 * A copy of DBOS of one's own. It keeps everything (launched or not, registered functions, the database) in its modules'
 * variables, so that one copy serves one engine: a second Weir in the process, as tests have, or one that is started
 * again, would find the first one's. Loaded when needed: the first time takes 0.1–0.5 s, further copies 50 ms.
 */
export function loadLibrary(): Library {
  for (const file of Object.keys(require.cache)) {
    if (file.includes("/@dbos-inc/dbos-sdk/")) delete require.cache[file];
  }
  return (require("@dbos-inc/dbos-sdk") as typeof Dbos).DBOS;
}

/** JSON as it is: values stay readable by SQL. The library's own format would wrap them. */
export const plainJson = {
  name: () => "weir-json",
  stringify: (value: unknown): string => JSON.stringify(value === undefined ? null : value),
  parse: (text: string | null | undefined): unknown => (text == null ? null : JSON.parse(text)),
};
