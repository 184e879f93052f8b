import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import type { Batch } from "../../src/engines/stream/index.js";
import {
  compileMeter,
  measureEvent,
  type MeterDefinition,
  type MeterVersion,
} from "../../src/usage/core/index.js";
import { ProtoWriter } from "../../src/usage/proto-writer.js";
import { UsageBodyEncoder, type FramedCorrection, type FramedEvent } from "../../src/usage/usage-body.js";
import type { MeterId, MeterVersionId, OrganizationId } from "../../src/kernel/ids.js";
import { parseInstant, type Instant } from "../../src/kernel/instant.js";
import type { JsonValue } from "../../src/kernel/json.js";

export const orgA = "org_01arz3ndektsv4rrffq69g5fav" as OrganizationId;
export const orgB = "org_01arz3ndektsv4rrffq69g5fbw" as OrganizationId;

export const at = (text: string): Instant => {
  const instant = parseInstant(text);
  if (instant === undefined) throw new Error(`not an instant: ${text}`);
  return instant;
};

export function meterVersion(
  definition: Partial<MeterDefinition> = {},
  id = "mtv_01arz3ndektsv4rrffq69g5fav",
): MeterVersion {
  return {
    eventType: "t",
    aggregation: "SUM",
    valueProperty: "$.n",
    groupBy: [{ name: "model", property: "$.model" }],
    filters: [],
    ...definition,
    id: id as MeterVersionId,
    meter: "mtr_01arz3ndektsv4rrffq69g5fav" as MeterId,
    slug: "meter",
    name: "Meter",
    description: "",
    version: 1,
    createdAt: 0 as Instant,
  };
}

/** An event of type "t" as ingest would frame it. */
export function framed(
  meters: readonly MeterVersion[],
  event: { id: string; time: string; subject?: string; data: JsonValue; revision?: number },
): FramedEvent {
  const measured = measureEvent({ type: "t", data: event.data }, new Map([["t", meters.map(compileMeter)]]));
  if ("fault" in measured) throw new Error(measured.fault.message);
  return {
    source: "s",
    id: event.id,
    type: "t",
    subject: event.subject ?? "acme",
    time: at(event.time),
    dataText: JSON.stringify(event.data),
    key: keyOf(event.id),
    revision: event.revision ?? 0,
    measurements: measured.measurements,
    serverTime: false,
  };
}

export const keyOf = (id: string): string => createHash("sha256").update(id).digest("binary").slice(0, 16);

export interface TestEnvelope {
  readonly organization: OrganizationId;
  readonly events?: readonly FramedEvent[];
  readonly corrections?: readonly FramedCorrection[];
}

/** Writes envelopes from `firstSequence` on into one file, and says what the stream would say of it. */
export async function writeBatch(
  file: string,
  batch: { number: number; firstSequence: number; settings: Batch["settings"]; engineVersion: string },
  envelopes: readonly TestEnvelope[],
): Promise<Batch> {
  const frames: Buffer[] = [];
  const rowCounts = [0, 0, 0];
  envelopes.forEach((envelope, index) => {
    const encoder = new UsageBodyEncoder(1024);
    for (const event of envelope.events ?? []) encoder.event(event);
    for (const correction of envelope.corrections ?? []) encoder.correction(correction);
    encoder.rowCounts.forEach((count, table) => (rowCounts[table] = (rowCounts[table] ?? 0) + count));
    const message = new ProtoWriter(1024);
    message.string(2, envelope.organization);
    message.uint(3, batch.firstSequence + index);
    message.uint(4, at("2026-02-01T00:00:00Z"));
    const header = Buffer.from(message.finish());
    const body = new ProtoWriter(1024);
    body.latin1(10, encoder.finish().toString("latin1"));
    const whole = Buffer.concat([Buffer.from([0x0d, 0, 0, 0, 0]), header, body.finish()]);
    frames.push(lengthOf(whole.length), whole);
  });
  await writeFile(file, Buffer.concat(frames));
  return {
    ...batch,
    id: `w.usage.${batch.number}`,
    token: `w.usage.${batch.number}`,
    part: "",
    writer: "w",
    signal: "usage",
    path: file,
    lastSequence: batch.firstSequence + envelopes.length - 1,
    envelopes: envelopes.length,
    rowCounts,
  };
}

function lengthOf(length: number): Buffer {
  const bytes: number[] = [];
  let rest = length;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push(rest % 128 | 128);
  return Buffer.from([...bytes, rest]);
}
