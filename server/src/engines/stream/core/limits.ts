/** What the configuration sets. */
export interface StreamLimits {
  readonly sealBytes: number;
  readonly sealAgeMs: number;
  /** Whether a younger segment is sealed as soon as it could be inserted. */
  readonly sealWhenDue: boolean;
  readonly backlogBytesMax: number;
  readonly diskFreeBytesMin: number;
  readonly batchBytesMax: number;
  readonly insertIntervalMs: number;
}

// What nobody has a reason to set.

/** An envelope over this is refused: it could not share a batch with anything. */
export const frame_bytes_max = 64 * 1024 * 1024;
/** Bytes in memory that wait for an fsync: a disk that stalls for a second must not take the heap. */
export const pending_bytes_max = 64 * 1024 * 1024;
/** How long a look at the disk's free space is trusted. */
export const disk_check_interval_ms = 1_000;
/** close() drains this long; a supervisor that kills after 10 s leaves room for the engines. */
export const drain_ms_max = 3_000;
/** How long an insert that is due waits for the open segment to be sealed; what takes longer goes into the next. */
export const seal_wait_ms_max = 100;
/** How often rows that do not match are discarded and inserted anew before the stream stays blocked. */
export const mismatch_attempts_max = 5;
/** How often a blocked stream says so again. */
export const alarm_interval_ms = 60_000;
/** Bytes that the search for frames behind damage may hash; a file crafted to look like frames costs no more. */
export const salvage_hash_bytes_max = 1024 * 1024 * 1024;
