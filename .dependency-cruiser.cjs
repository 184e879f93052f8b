/** Import boundaries: see STYLE in CONTRIBUTING.md. Tests are free. */
const domains =
  "identity|audit|usage|catalog|rating|billing|ledger|tax|credits|documents|mail|payments|prepaid|settlement|time|runs|webhooks";

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "simulators-import-nothing-of-ours",
      comment: "what checks Weir's books shares no code with them",
      severity: "error",
      from: { path: "^server/simulators/" },
      to: { path: "^(server/src|sdk|cli)/" },
    },
    {
      name: "kernel-imports-nothing-of-ours",
      severity: "error",
      from: { path: "^server/src/kernel/" },
      to: { path: "^server/src/(?!kernel/)" },
    },
    {
      name: "core-imports-kernel-and-other-cores",
      severity: "error",
      from: { path: "^server/src/(.+)/core/" },
      to: {
        path: "^server/src/",
        pathNot: ["^server/src/kernel/", "^server/src/$1/core/", "/core/index\\.ts$"],
      },
    },
    {
      name: "store-is-private",
      comment: "nothing outside a domain imports its store/",
      severity: "error",
      from: { path: `^server/src/(?!(${domains})/)` },
      to: { path: `^server/src/(${domains})/store/` },
    },
    {
      name: "store-of-another-domain",
      severity: "error",
      from: { path: `^server/src/(${domains})/` },
      to: { path: `^server/src/(${domains})/store/`, pathNot: "^server/src/$1/store/" },
    },
    {
      name: "domain-by-its-door",
      comment:
        "a domain is entered by index.ts, for pure code core/index.ts; graphql/ and http/ also by api/",
      severity: "error",
      from: { path: `^server/src/(${domains})/`, pathNot: "/api/" },
      to: { path: `^server/src/(${domains})/`, pathNot: ["^server/src/$1/", "/index\\.ts$"] },
    },
    {
      name: "api-by-its-door",
      comment: "a domain's api/ may show another domain's GraphQL types",
      severity: "error",
      from: { path: `^server/src/(${domains})/api/` },
      to: {
        path: `^server/src/(${domains})/`,
        pathNot: ["^server/src/$1/", "/index\\.ts$", "/api/graphql\\.ts$"],
      },
    },
    {
      name: "engine-by-its-door",
      severity: "error",
      from: { path: "^server/src/", pathNot: "^server/src/engines/([^/]+)/" },
      to: { path: "^server/src/engines/[^/]+/", pathNot: "/index\\.ts$" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "\\.test\\.ts$|/dist/" },
    enhancedResolveOptions: { extensions: [".ts", ".js", ".mjs"], mainFields: ["module", "main", "types"] },
  },
};
