export { arrayText } from "./array-text.js";
export { openPostgres, type Postgres, type PostgresOptions, type Sql } from "./open-postgres.js";
export { UnusableDatabase } from "./unusable-database.js";
export { migrationsFolder } from "./migrations-folder.js";
export { instantOfMicros, timestampText } from "./timestamp.js";
