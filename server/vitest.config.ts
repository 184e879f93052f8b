import { defineConfig } from "vitest/config";

export default defineConfig({
  // One copy of graphql: Vite would take its ES modules, the libraries that Node loads take the CommonJS ones.
  resolve: { alias: [{ find: /^graphql$/, replacement: "graphql/index.js" }] },
  test: {
    name: "server",
    // chDB lives on one thread of one process; under threads it crashes.
    pool: "forks",
    include: ["src/**/*.test.ts", "simulators/stripe/**/*.test.ts", "test/**/*.test.ts"],
    // These need a PostgreSQL server besides the embedded one: npm run test:postgres.
    exclude: process.env["WEIR_TEST_POSTGRES"] === undefined ? ["test/postgres-server/**"] : [],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Limits only guard against hanging: machines are slow now and then.
    expect: { poll: { timeout: 60_000 } },
  },
});
