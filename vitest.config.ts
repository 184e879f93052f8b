import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { projects: ["server", "sdk/vitest.config.ts", "cli/vitest.config.ts"], maxWorkers: 2 },
});
