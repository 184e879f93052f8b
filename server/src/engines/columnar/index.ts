export { ColumnarLimitExceeded, ColumnarRejected, ColumnarUnavailable } from "./errors.js";
export { encodeParquet } from "./parquet.js";
export { migrateColumnar } from "./migrate.js";
export type { Row } from "./tenant-door.js";
export { openColumnar, type Columnar, type ColumnarOptions, type SystemDoor } from "./open-columnar.js";
export type { Parameters, TenantDoor } from "./tenant-door.js";
