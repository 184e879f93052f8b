import { type Command, InvalidArgumentError, Option } from "commander";
import type { Aggregation, Meter, MeterFilter, NewMeter } from "@weir/sdk";
import type { CliContext } from "../context.js";
import { contextOf, UsageError } from "../context.js";
import { collect, readPairs } from "../options.js";
import { grouped, printFields, printJson, printTable } from "../print.js";

const aggregations: readonly Aggregation[] = [
  "SUM",
  "COUNT",
  "UNIQUE_COUNT",
  "MIN",
  "MAX",
  "AVG",
  "LATEST",
  "WEIGHTED_SUM",
];

interface MeterOptions {
  readonly eventType?: string;
  readonly aggregation?: Aggregation;
  readonly value?: string;
  readonly groupBy?: readonly string[];
  readonly filter?: readonly string[];
  readonly name?: string;
  readonly description?: string;
}

export function addMeterCommands(program: Command): void {
  const meters = program.command("meters").description("meters: how events become quantities");

  meters
    .command("list")
    .description("the meters, with how far their backfill is")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const found = await context.weir.meters.list();
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["SLUG", "EVENT TYPE", "AGGREGATION", "VALUE", "DIMENSIONS", "VERSION", "BACKFILL"],
        found.map((meter) => [
          meter.slug,
          meter.eventType,
          meter.aggregation,
          meter.valueProperty ?? "",
          Object.keys(meter.groupBy ?? {}).join(" "),
          String(meter.version),
          meter.backfill.state,
        ]),
        "No meters. Create one: weir meters create tokens --event-type llm.request --aggregation SUM --value $.tokens",
      );
    });

  meters
    .command("show")
    .argument("<meter>", "slug or id")
    .description("one meter, whole")
    .action(async (meter: string, _options: object, command: Command) => {
      const context = contextOf(command);
      printMeter(context, await context.weir.meters.get(meter));
    });

  meterOptions(
    meters.command("create").argument("<slug>").description("create a meter; history is measured too"),
  ).action(async (slug: string, options: MeterOptions, command: Command) => {
    const { eventType, aggregation } = options;
    if (eventType === undefined) throw new UsageError("--event-type is needed: the events that it measures");
    if (aggregation === undefined)
      throw new UsageError(`--aggregation is needed: ${aggregations.join(", ")}`);
    const context = contextOf(command);
    printMeter(
      context,
      await context.weir.meters.create({ slug, ...changeOf(options), eventType, aggregation }),
    );
  });

  meterOptions(
    meters
      .command("change")
      .argument("<meter>", "slug or id")
      .description("rename a meter, or change what it measures: that makes a new version"),
  ).action(async (meter: string, options: MeterOptions, command: Command) => {
    const change = changeOf(options);
    if (Object.keys(change).length === 0) throw new UsageError("say what changes; weir meters change --help");
    const context = contextOf(command);
    printMeter(context, await context.weir.meters.change(meter, change));
  });

  meters
    .command("archive")
    .argument("<meter>", "slug or id")
    .description("stop measuring; what was measured stays")
    .action(async (meter: string, _options: object, command: Command) => {
      const context = contextOf(command);
      await context.weir.meters.archive(meter);
      if (context.json) printJson(context, { archived: meter });
      else context.out.write(`archived ${meter}\n`);
    });
}

function meterOptions(command: Command): Command {
  return command
    .option("--event-type <type>", "the events that it measures")
    .addOption(
      new Option("--aggregation <name>", aggregations.join(", ").toLowerCase()).argParser((value) => {
        const found = aggregations.find((each) => each === value.toUpperCase());
        if (found === undefined) throw new InvalidArgumentError(`it is one of ${aggregations.join(", ")}`);
        return found;
      }),
    )
    .option("--value <path>", "the property that is aggregated, such as $.tokens; none for COUNT")
    .option("--group-by <name=path>", "a dimension, such as model=$.model; may be repeated", collect)
    .option(
      "--filter <path operator value>",
      'such as "$.status equals ok", "$.region in eu,us", "$.free not_exists"; may be repeated',
      collect,
    )
    .option("--name <name>")
    .option("--description <text>");
}

function changeOf(options: MeterOptions): Partial<Omit<NewMeter, "slug">> {
  const { eventType, aggregation, value, groupBy, filter, name, description } = options;
  return {
    ...(eventType === undefined ? {} : { eventType }),
    ...(aggregation === undefined ? {} : { aggregation }),
    ...(value === undefined ? {} : { valueProperty: value }),
    ...(groupBy === undefined ? {} : { groupBy: readPairs("--group-by", groupBy) }),
    ...(filter === undefined ? {} : { filters: filter.map(readFilter) }),
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
  };
}

function readFilter(text: string): MeterFilter {
  const [, property, operator, value] = /^(\S+)\s+(\w+)(?:\s+(.*))?$/.exec(text.trim()) ?? [];
  if (property === undefined || operator === undefined) {
    throw new UsageError(
      `--filter "${text}": write a path, an operator and a value, such as "$.status equals ok"`,
    );
  }
  const many = operator === "in" || operator === "not_in";
  return {
    property,
    operator: operator as MeterFilter["operator"],
    ...(value === undefined
      ? {}
      : many
        ? { values: value.split(",").map((each) => each.trim()) }
        : { value }),
  };
}

function printMeter(context: CliContext, meter: Meter): void {
  if (context.json) return printJson(context, meter);
  printFields(context, [
    ["slug", meter.slug],
    ["id", meter.id],
    ["name", meter.name],
    ["description", meter.description],
    [
      "measures",
      `${meter.aggregation}${meter.valueProperty === undefined ? "" : ` of ${meter.valueProperty}`}`,
    ],
    ["of events", meter.eventType],
    ...Object.entries(meter.groupBy ?? {}).map(([name, path]) => [`by ${name}`, path] as const),
    ...(meter.filters ?? []).map(
      ({ property, operator, value, values }) =>
        ["where", [property, operator, value ?? values?.join(", ")].filter(Boolean).join(" ")] as const,
    ),
    ["version", `${meter.version} (${meter.versionId})`],
    ["backfill", `${meter.backfill.state}, ${grouped(String(meter.backfill.events))} events`],
  ]);
}
