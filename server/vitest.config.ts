import { defineConfig } from "vitest/config";

export default defineConfig({
  // One copy of graphql: Vite would take its ES modules, the libraries that Node loads take the CommonJS ones.
  resolve: { alias: [{ find: /^graphql$/, replacement: "graphql/index.js" }] },
  test: {
    name: "server",
    // chDB lives on one thread of one process; under threads it crashes.
    pool: "forks",
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
