import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { formatInstant, second, type Instant } from "../../kernel/instant.js";
import { aggregations } from "../core/index.js";
import type { CorrectionReceipt } from "../corrections.js";
import type { StoredEvent } from "../store/find-events.js";
import type { ImportedFile, ImportRejection, StoredImport } from "../store/imports.js";
import type { StoredMeterVersion } from "../store/meters.js";
import { windowSizes, type UsageResult, type UsageRow } from "../usage-query.js";
import { readMeterChange, readNewMeter } from "./meter-request.js";
import { parseUsageQuery } from "./query-parameters.js";

const AggregationEnum = builder.enumType("Aggregation", { values: aggregations });
const WindowSizeEnum = builder.enumType("WindowSize", { values: windowSizes });

const NamedText = builder.objectRef<{ name: string; value: string }>("NamedText").implement({
  fields: (t) => ({ name: t.exposeString("name"), value: t.exposeString("value") }),
});

const UsageRowType = builder.objectRef<UsageRow>("UsageRow").implement({
  description: "Usage of one window and group.",
  fields: (t) => ({
    value: t.field({ type: "Decimal", nullable: true, resolve: (row) => row.value }),
    windowStart: t.expose("windowStart", { type: "Instant" }),
    windowEnd: t.expose("windowEnd", { type: "Instant" }),
    subject: t.exposeString("subject", { nullable: true }),
    groupBy: t.field({
      type: [NamedText],
      resolve: (row) => Object.entries(row.groupBy).map(([name, value]) => ({ name, value })),
    }),
  }),
});

const UsageResultType = builder.objectRef<UsageResult>("UsageResult").implement({
  fields: (t) => ({
    from: t.field({ type: "Instant", nullable: true, resolve: (result) => result.from }),
    to: t.expose("to", { type: "Instant" }),
    complete: t.exposeBoolean("complete", {
      description: "False while the meter's history is still being measured.",
    }),
    rows: t.field({ type: [UsageRowType], resolve: (result) => [...result.rows] }),
  }),
});

const UsageFilterInput = builder.inputType("UsageFilterInput", {
  fields: (t) => ({ dimension: t.string({ required: true }), values: t.stringList({ required: true }) }),
});

const UsageInput = builder.inputType("UsageInput", {
  fields: (t) => ({
    from: t.field({ type: "Instant" }),
    to: t.field({ type: "Instant" }),
    windowSize: t.field({ type: WindowSizeEnum }),
    timeZone: t.string({ description: "IANA name; where days and months begin. UTC when left out." }),
    subjects: t.stringList(),
    customers: t.stringList({ description: "Ids or keys: their subjects, as long as they owned them." }),
    groupBy: t.stringList({ description: '"subject" and names of dimensions.' }),
    filters: t.field({ type: [UsageFilterInput] }),
    top: t.int({ description: "Only the groups with the largest totals." }),
  }),
});

const MeterType = builder.objectRef<StoredMeterVersion>("Meter").implement({
  description: "How events become a quantity: the current version of a meter.",
  fields: (t) => ({
    id: t.exposeID("meter"),
    versionId: t.exposeID("id"),
    version: t.exposeInt("version"),
    slug: t.exposeString("slug"),
    name: t.exposeString("name"),
    description: t.exposeString("description"),
    eventType: t.exposeString("eventType"),
    aggregation: t.expose("aggregation", { type: AggregationEnum }),
    valueProperty: t.exposeString("valueProperty", { nullable: true }),
    groupBy: t.field({
      type: [NamedText],
      description: "Dimensions: their names, and the properties that fill them.",
      resolve: (meter) => meter.groupBy.map(({ name, property }) => ({ name, value: property })),
    }),
    filters: t.field({ type: "JSON", resolve: (meter) => meter.filters }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    updatedAt: t.expose("updatedAt", { type: "Instant" }),
    archivedAt: t.field({ type: "Instant", nullable: true, resolve: (meter) => meter.archivedAt ?? null }),
    backfillState: t.string({ resolve: (meter) => meter.backfill.state }),
    backfilledEvents: t.int({ resolve: (meter) => meter.backfill.events }),
    usage: t.field({
      type: UsageResultType,
      complexity: 20,
      args: { input: t.arg({ type: UsageInput }) },
      resolve: (meter, { input }, { caller, services }) =>
        services.usage.queries.query(caller.organization, toQuery(meter.id, input ?? {})),
    }),
  }),
});

const EventType = builder.objectRef<StoredEvent>("Event").implement({
  description: "A usage event as it stands: its latest revision.",
  fields: (t) => ({
    source: t.exposeString("source"),
    id: t.exposeString("id"),
    type: t.exposeString("type"),
    subject: t.exposeString("subject"),
    time: t.expose("time", { type: "Instant" }),
    data: t.field({
      type: "JSON",
      nullable: true,
      resolve: (event) => (event.data === "" ? null : JSON.parse(event.data)),
    }),
    receivedAt: t.expose("receivedAt", { type: "Instant" }),
    revision: t.exposeInt("revision"),
    voided: t.exposeBoolean("voided"),
  }),
});

const EventPage = builder.objectRef<{ rows: StoredEvent[]; next?: string }>("EventPage").implement({
  fields: (t) => ({
    nodes: t.field({ type: [EventType], resolve: (page) => page.rows }),
    endCursor: t.string({
      nullable: true,
      description: "Give it as `after` for the next page; null on the last.",
      resolve: (page) => page.next ?? null,
    }),
  }),
});

const ImportFileType = builder.objectRef<ImportedFile>("ImportFile").implement({
  description: "An uploaded file, which Weir takes in by itself.",
  fields: (t) => ({
    run: t.exposeID("run", { description: "Its workflow run, to be canceled and retried." }),
    bytes: t.exposeFloat("bytes"),
    bytesDone: t.exposeFloat("bytesDone"),
  }),
});

const ImportRejectionType = builder.objectRef<ImportRejection>("ImportRejection").implement({
  description: "A line of a file that was not taken.",
  fields: (t) => ({
    line: t.exposeFloat("line", { description: "From 1, where the row ends." }),
    reason: t.exposeString("reason"),
  }),
});

const ImportStatusEnum = builder.enumType("ImportStatus", {
  description: "failed and canceled: of an uploaded file, whose run may be retried while the file is kept.",
  values: ["running", "completed", "failed", "canceled"] as const,
});

const ImportType = builder.objectRef<StoredImport>("Import").implement({
  description: "A named, resumable import of history.",
  fields: (t) => ({
    id: t.exposeID("id"),
    name: t.exposeString("name"),
    status: t.field({ type: ImportStatusEnum, resolve: (entry) => entry.status }),
    file: t.field({
      type: ImportFileType,
      nullable: true,
      description: "Null when the client sends the rows.",
      resolve: (entry) => entry.file ?? null,
    }),
    rejected: t.exposeInt("rejected", { description: "Lines, or events of them, that could not be taken." }),
    rejections: t.field({
      type: [ImportRejectionType],
      description: "The first 200 lines that were not taken.",
      complexity: 10,
      resolve: async (entry, _args, { caller, services }) => [
        ...(await services.usage.imports.rejections(caller.organization, entry.id)),
      ],
    }),
    failure: t.string({
      nullable: true,
      description: "Why it ended before the end of its file.",
      resolve: (entry) => entry.failure ?? null,
    }),
    rowsDone: t.exposeInt("rowsDone"),
    accepted: t.exposeInt("accepted"),
    duplicates: t.exposeInt("duplicates"),
    conflicts: t.exposeInt("conflicts"),
    unmetered: t.exposeInt("unmetered"),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    completedAt: t.field({ type: "Instant", nullable: true, resolve: (entry) => entry.completedAt ?? null }),
  }),
});

const CorrectionType = builder.objectRef<CorrectionReceipt>("EventCorrection").implement({
  fields: (t) => ({
    source: t.exposeString("source"),
    id: t.exposeString("id"),
    action: t.exposeString("action"),
    revision: t.exposeInt("revision"),
    notice: t.string({
      nullable: true,
      description: "What the correction does not do, when the event is too old to be on an invoice yet.",
      resolve: ({ notice }) => notice ?? null,
    }),
  }),
});

builder.queryFields((t) => ({
  meters: t.field({
    type: [MeterType],
    args: { archived: t.arg.boolean({ defaultValue: false }) },
    resolve: (_root, { archived }, { caller, services }) =>
      services.usage.meters.list(caller.organization, { archived: archived === true }),
  }),
  meter: t.field({
    type: MeterType,
    nullable: true,
    args: { idOrSlug: t.arg.string({ required: true }) },
    resolve: async (_root, { idOrSlug }, { caller, services }) =>
      (await services.usage.meters.find(caller.organization, idOrSlug)) ?? null,
  }),
  events: t.field({
    type: EventPage,
    complexity: 20,
    args: {
      from: t.arg({ type: "Instant" }),
      to: t.arg({ type: "Instant" }),
      type: t.arg.string(),
      subject: t.arg.string(),
      source: t.arg.string(),
      id: t.arg.string(),
      after: t.arg.string(),
      first: t.arg.int({ defaultValue: 50 }),
    },
    resolve: (_root, { first, ...given }, { caller, services }) => {
      const request = Object.fromEntries(Object.entries(given).filter(([, value]) => value != null));
      return services.usage.queries.events(caller.organization, {
        ...request,
        limit: Math.min(Math.max(first ?? 50, 1), 1000),
      });
    },
  }),
  subjects: t.stringList({
    description: "Subjects that usage was reported for, in order.",
    args: { after: t.arg.string(), first: t.arg.int({ defaultValue: 100 }) },
    resolve: async (_root, { after, first }, { caller, services }) => {
      const page = { limit: Math.min(Math.max(first ?? 100, 1), 1000), ...(after == null ? {} : { after }) };
      return (await services.usage.queries.subjects(caller.organization, page)).map((row) => row.subject);
    },
  }),
  imports: t.connection({
    type: ImportType,
    description: "Newest first.",
    resolve: (_root, args, { caller, services }) =>
      forwardConnection(args, (page) => services.usage.imports.list(caller.organization, page)),
  }),
  import: t.field({
    type: ImportType,
    nullable: true,
    args: { idOrName: t.arg.string({ required: true }) },
    resolve: async (_root, { idOrName }, { caller, services }) =>
      (await services.usage.imports.find(caller.organization, idOrName)) ?? null,
  }),
}));

const GroupByInput = builder.inputType("GroupByInput", {
  fields: (t) => ({ name: t.string({ required: true }), property: t.string({ required: true }) }),
});

const FilterOperator = builder.enumType("MeterFilterOperator", {
  values: ["equals", "not_equals", "in", "not_in", "exists", "not_exists", "gt", "gte", "lt", "lte"] as const,
});

const MeterFilterInput = builder.inputType("MeterFilterInput", {
  fields: (t) => ({
    property: t.string({ required: true }),
    operator: t.field({ type: FilterOperator, required: true }),
    value: t.string(),
    values: t.stringList(),
  }),
});

builder.mutationFields((t) => ({
  createMeter: t.field({
    type: MeterType,
    errors: {},
    args: {
      slug: t.arg.string({ required: true }),
      name: t.arg.string(),
      description: t.arg.string(),
      eventType: t.arg.string({ required: true }),
      aggregation: t.arg({ type: AggregationEnum, required: true }),
      valueProperty: t.arg.string(),
      groupBy: t.arg({ type: [GroupByInput] }),
      filters: t.arg({ type: [MeterFilterInput] }),
    },
    resolve: (_root, args, context) => {
      requireSecretKey(context);
      return context.services.usage.meters.create(context.caller, readNewMeter(args), context.idempotencyKey);
    },
  }),
  changeMeter: t.field({
    type: MeterType,
    description:
      "Renames a meter; a change of what it measures makes a new version, backfilled over history.",
    errors: {},
    args: {
      meter: t.arg.string({ required: true }),
      name: t.arg.string(),
      description: t.arg.string(),
      eventType: t.arg.string(),
      aggregation: t.arg({ type: AggregationEnum }),
      valueProperty: t.arg.string(),
      groupBy: t.arg({ type: [GroupByInput] }),
      filters: t.arg({ type: [MeterFilterInput] }),
    },
    resolve: (_root, { meter, ...change }, context) => {
      requireSecretKey(context);
      return context.services.usage.meters.change(
        context.caller,
        meter,
        readMeterChange(change),
        context.idempotencyKey,
      );
    },
  }),
  archiveMeter: t.field({
    type: MeterType,
    errors: {},
    args: { meter: t.arg.string({ required: true }) },
    resolve: (_root, { meter }, context) => {
      requireSecretKey(context);
      return context.services.usage.meters.archive(context.caller, meter, context.idempotencyKey);
    },
  }),
  voidEvent: t.field({
    type: CorrectionType,
    description: "Says that an event does not count. The event stays as evidence.",
    errors: {},
    args: {
      source: t.arg.string({ required: true }),
      id: t.arg.string({ required: true }),
      reason: t.arg.string({ required: true }),
    },
    resolve: (_root, target, context) => {
      requireSecretKey(context);
      return context.services.usage.corrections.void(context.caller, target, context.idempotencyKey);
    },
  }),
  amendEvent: t.field({
    type: CorrectionType,
    description: "Replaces an event by a corrected revision. What is left out stays as it was.",
    errors: {},
    args: {
      source: t.arg.string({ required: true }),
      id: t.arg.string({ required: true }),
      reason: t.arg.string({ required: true }),
      type: t.arg.string(),
      subject: t.arg.string(),
      time: t.arg({ type: "Instant" }),
      data: t.arg({ type: "JSON" }),
    },
    resolve: (_root, { source, id, reason, type, subject, time, data }, context) => {
      requireSecretKey(context);
      const amendment = {
        ...(type == null ? {} : { type }),
        ...(subject == null ? {} : { subject }),
        ...(time == null ? {} : { time: formatInstant(time) }),
        ...(data === undefined ? {} : { data }),
      };
      return context.services.usage.corrections.amend(
        context.caller,
        { source, id, reason },
        amendment,
        context.idempotencyKey,
      );
    },
  }),
}));

const live_interval = second;

builder.subscriptionFields((t) => ({
  usage: t.field({
    type: UsageResultType,
    description: "Usage of a meter, at once and again after each change, at most once a second.",
    args: { meter: t.arg.string({ required: true }), input: t.arg({ type: UsageInput }) },
    subscribe: (_root, { meter, input }, { caller, services }) => {
      const query = toQuery(meter, input ?? {});
      return services.usage.queries.watch(caller.organization, query, live_interval);
    },
    resolve: (result: UsageResult) => result,
  }),
}));

type UsageArguments = typeof UsageInput.$inferInput;

function toQuery(meter: string, input: UsageArguments) {
  return parseUsageQuery(meter, {
    from: textOf(input.from),
    to: textOf(input.to),
    windowSize: input.windowSize ?? undefined,
    windowTimeZone: input.timeZone ?? undefined,
    subject: input.subjects ?? undefined,
    customer: input.customers ?? undefined,
    groupBy: input.groupBy ?? undefined,
    top: input.top ?? undefined,
    filters: new Map((input.filters ?? []).map(({ dimension, values }) => [dimension, values])),
  });
}

function textOf(instant: Instant | null | undefined): string | undefined {
  return instant == null ? undefined : formatInstant(instant);
}
