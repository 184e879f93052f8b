import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "cli",
    pool: "forks",
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
});
