import type { MeterId, MeterVersionId, OrganizationId } from "../../src/kernel/ids.js";
import { newId } from "../../src/kernel/ids.js";
import { Decimal } from "../../src/kernel/decimal.js";
import type { Instant } from "../../src/kernel/instant.js";
import type { Postgres } from "../../src/engines/postgres/index.js";
import type { UsagePart, UsagePort, UsageSelection, UsageSource } from "../../src/billing/index.js";
import type { ReadUsage, UsageReading } from "../../src/usage/index.js";

interface Row {
  readonly organization: OrganizationId;
  readonly id: string;
  readonly subject: string;
  readonly time: Instant;
  readonly value: Decimal;
  readonly sequence: number;
  readonly dimensions: Readonly<Record<string, string>>;
}

/**
 * Billing's port to usage as a plain computation over a list: every meter sums all rows of its organization. What it
 * stands in for is tested end to end elsewhere.
 */
export class UsageInMemory implements UsagePort {
  readonly rows: Row[] = [];
  /** Reading of this subject fails, as it does when there is too much for a price's form. */
  failFor: string | undefined;
  #sequence = 0;
  readonly #meters = new Map<string, { id: MeterVersionId; meter: MeterId; slug: string }>();

  /** Puts a meter where the catalog's foreign keys want it. */
  async addMeter(
    postgres: Postgres,
    organization: OrganizationId,
    slug: string,
    now: Instant,
  ): Promise<void> {
    const meter = { id: newId("mtv", now), meter: newId("mtr", now), slug };
    await postgres.inOrganization(organization, async (sql) => {
      await sql`
        INSERT INTO meters (organization, id, slug, name, current_version, created_at, updated_at)
        VALUES (${organization}, ${meter.meter}, ${slug}, ${slug}, ${meter.id}, now(), now())`;
      await sql`
        INSERT INTO meter_versions (organization, id, meter, version, definition, created_at, live_from, backfill_state)
        VALUES (${organization}, ${meter.id}, ${meter.meter}, 1, '{}', now(), '{}', 'done')`;
    });
    this.knowMeter(organization, meter);
  }

  knowMeter(organization: OrganizationId, meter: { id: MeterVersionId; meter: MeterId; slug: string }): void {
    for (const name of [meter.slug, meter.id, meter.meter])
      this.#meters.set(`${organization}/${name}`, meter);
  }

  add(
    organization: OrganizationId,
    subject: string,
    time: Instant,
    value: string,
    dimensions: Readonly<Record<string, string>> = {},
  ): void {
    this.#sequence += 1;
    const id = `e${this.#sequence}`;
    const sequence = this.#sequence;
    this.rows.push({ organization, id, subject, time, value: Decimal.of(value), sequence, dimensions });
  }

  async watermark() {
    return [{ writer: "w1", sequence: this.#sequence }];
  }

  async findMeter(organization: OrganizationId, idOrSlug: string) {
    const meter = this.#meters.get(`${organization}/${idOrSlug}`);
    return meter === undefined
      ? undefined
      : { ...meter, name: meter.slug, aggregation: "SUM" as const, version: 1 };
  }

  async quantity(selection: UsageSelection) {
    const rows = this.#select(selection);
    return { quantity: Decimal.sum(rows.map((row) => row.value)), events: rows.length };
  }

  async read(selection: UsageSelection, reading: UsageReading): Promise<ReadUsage> {
    const rows = this.#select(selection).sort((a, b) => a.time - b.time || a.sequence - b.sequence);
    const sum = (some: readonly Row[]) => Decimal.sum(some.map((row) => row.value));
    const events = rows.length;
    switch (reading.kind) {
      case "quantity":
        return { usage: { kind: "quantity", quantity: sum(rows), events }, events };
      case "events":
        return { usage: { kind: "events", values: rows.map((row) => row.value) }, events };
      case "cells": {
        const cells = new Map<string, Row[]>();
        for (const row of rows) {
          const key = JSON.stringify(reading.dimensions.map((name) => row.dimensions[name] ?? ""));
          cells.set(key, [...(cells.get(key) ?? []), row]);
        }
        const named = (key: string) =>
          Object.fromEntries(
            (JSON.parse(key) as string[]).map((value, at) => [reading.dimensions[at]!, value]),
          );
        const list = [...cells].map(([key, some]) => ({ dimensions: named(key), quantity: sum(some) }));
        return { usage: { kind: "cells", cells: list }, events };
      }
      case "windows": {
        const starts = reading.boundaries.slice(0, -1);
        const quantities = starts.map((start, index) =>
          sum(rows.filter((row) => start <= row.time && row.time < reading.boundaries[index + 1]!)),
        );
        return { usage: { kind: "windows", quantities }, events };
      }
      default:
        return reading satisfies never;
    }
  }

  async readMany(source: UsageSource, parts: readonly UsagePart[]): Promise<ReadUsage[]> {
    if (parts.some(({ subjects }) => subjects.some(({ subject }) => subject === this.failFor)))
      throw new Error(`too much usage of ${this.failFor}`);
    return Promise.all(parts.map(({ reading, ...part }) => this.read({ ...source, ...part }, reading)));
  }

  async windows(selection: UsageSelection, boundaries: readonly Instant[]) {
    const rows = this.#select(selection);
    return boundaries.slice(0, -1).flatMap((start, index) => {
      const end = boundaries[index + 1]!;
      const inside = rows.filter((row) => start <= row.time && row.time < end);
      const quantity = Decimal.sum(inside.map((row) => row.value));
      return inside.length === 0 ? [] : [{ start, end, quantity, events: inside.length }];
    });
  }

  async evidence({ after, limit, ...selection }: UsageSelection & { after?: string; limit: number }) {
    const offset = Number(after ?? 0);
    const found = this.#select(selection).sort((a, b) => a.time - b.time || a.sequence - b.sequence);
    const rows = found.slice(offset, offset + limit).map((row) => ({
      source: "test",
      id: row.id,
      type: "usage",
      subject: row.subject,
      time: row.time,
      value: row.value.toString(),
      data: "{}",
    }));
    return offset + limit < found.length ? { rows, next: String(offset + limit) } : { rows };
  }

  #select({ organization, subjects, period, watermark, filters = [] }: UsageSelection): Row[] {
    return this.rows.filter(
      (row) =>
        row.organization === organization &&
        row.sequence <= (watermark[0]?.sequence ?? 0) &&
        period.start <= row.time &&
        row.time < period.end &&
        filters.every(({ property, values }) => values.includes(row.dimensions[property] ?? "")) &&
        subjects.some((span) => span.subject === row.subject && span.from <= row.time && row.time < span.to),
    );
  }
}
