export {
  isSameMovement,
  key_length_max,
  stageRecord,
  toMatchable,
  toPosted,
  type Hashes,
  type StagedRecord,
} from "./staged-record.js";
