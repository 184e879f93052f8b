import { makeProblem, Refusal } from "../kernel/problem.js";
import { settlementFormats } from "./core/index.js";
import type { StoredFile } from "./store/files.js";

export function refuseSize(bytes_max: number): Refusal {
  const detail = `A settlement file holds at most ${bytes_max} bytes, decompressed (WEIR_SETTLEMENT_BYTES_MAX).`;
  return new Refusal(
    makeProblem("settlement-file-too-large", 413, "The file is too large", detail, { limit: bytes_max }),
  );
}

export function tooMany(limit: string): Refusal {
  const detail = `Settlement files of this organization that wait may come to ${limit}. Let some of them end, or discard them.`;
  return new Refusal(
    makeProblem("too-many-settlement-files", 429, "Too many files wait", detail, { retryAfterSeconds: 30 }),
  );
}

export function unknownFormat(format: string): Refusal {
  const known = settlementFormats.map(({ name }) => name).join(", ");
  const detail = `There is no format "${format.slice(0, 64)}". Known are ${known}; leave it out to have it found.`;
  return new Refusal(makeProblem("unknown-settlement-format", 400, "No such format", detail));
}

export function unknownFile(id: string): Refusal {
  const detail = `There is no settlement file "${id.slice(0, 64)}"; list them with \`weir settle list\`.`;
  return new Refusal(makeProblem("settlement-file-not-found", 404, "No such settlement file", detail));
}

export function unknownRecord(id: string, position: number): Refusal {
  const detail = `File ${id} has no record ${position}.`;
  return new Refusal(makeProblem("settlement-record-not-found", 404, "No such record", detail));
}

export function fileElsewhere({ id, writer }: StoredFile): Refusal {
  const detail = `What file ${id} holds lies in the data directory of writer ${writer}, which is not this one's.`;
  return new Refusal(makeProblem("settlement-file-elsewhere", 409, "The file is not here", detail));
}

export function landedElsewhere({ id, account, state }: StoredFile): Refusal {
  const detail = `The same file landed for account ${account} before: ${id}, ${state}. If it was meant for this one, discard it there and retry it with this account.`;
  return new Refusal(
    makeProblem("settlement-file-of-other-account", 409, "The file is another account's", detail, {
      file: id,
    }),
  );
}

export function wrongState({ id, state }: StoredFile, action: string): Refusal {
  const verb = action.split(".")[1] ?? action;
  const detail = `File ${id} is ${state}: there is nothing to ${verb}.`;
  return new Refusal(makeProblem("settlement-file-state", 409, `The file is ${state}`, detail, { state }));
}
