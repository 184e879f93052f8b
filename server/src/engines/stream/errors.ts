/** Why a stream takes nothing in at the moment. */
export type UnavailableReason = "backlog" | "disk_full" | "io_error" | "closing";

/** Nothing was stored; the same request may be sent again after `retryAfterSeconds`. Answered with 503. */
export class StreamUnavailable extends Error {
  override readonly name = "StreamUnavailable";
  readonly retry = true;

  constructor(
    readonly reason: UnavailableReason,
    readonly retryAfterSeconds: number,
    detail: string,
    options?: ErrorOptions,
  ) {
    super(detail, options);
  }
}

/** Thrown by a sink: this batch can never be inserted as it is. The stream bisects it and quarantines the culprit. */
export class BatchRejected extends Error {
  override readonly name = "BatchRejected";
  readonly retry = false;
}

/** The stream's folder holds something that recovery must not decide on alone; a person has to look. */
export class StreamFolderUnsound extends Error {
  override readonly name = "StreamFolderUnsound";
  readonly retry = false;
}

/** The error code of a failed system call, such as ENOSPC; undefined for anything else. */
export function errorCodeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** True when the call failed for want of space: the cure is waiting or deleting, not another disk. */
export function isDiskFull(error: unknown): boolean {
  const code = errorCodeOf(error);
  return code === "ENOSPC" || code === "EDQUOT";
}

/** The refusal of everything that comes after close(). */
export function closing(): StreamUnavailable {
  return new StreamUnavailable("closing", 5, "the log is closing");
}
