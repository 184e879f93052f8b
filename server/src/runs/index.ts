export { Runs, type RunsOptions } from "./runs.js";
