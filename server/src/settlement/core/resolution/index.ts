export { resolveRecord, type Meaning, type NewPart } from "./resolve-record.js";
