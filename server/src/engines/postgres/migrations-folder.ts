import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** server/migrations/postgres, found upwards from here: the same from src/ (tests) and from dist/. */
export function migrationsFolder(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, "migrations", "postgres");
    if (existsSync(candidate)) return candidate;
  }
  throw new Error(
    `No folder migrations/postgres in any folder above ${import.meta.dirname}: the installation is incomplete.`,
  );
}
