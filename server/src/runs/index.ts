export { RunRetention, type RunHolder, type RunRetentionOptions } from "./run-retention.js";
export { Runs, type RunsOptions } from "./runs.js";
