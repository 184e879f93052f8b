import { type Command, Option } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { mutate } from "../mutate.js";
import { collectList, readCount, readInstant, readWhole } from "../options.js";
import { printFields, printJson, printTable } from "../print.js";

interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly description: string | null;
  readonly eventTypes: readonly string[];
  readonly state: string;
  readonly disabledReason: string | null;
  readonly breaker: string;
  readonly breakerOpenUntil: string | null;
  readonly failures: number;
  readonly failingSince: string | null;
  readonly concurrencyMax: number;
  readonly ratePerSecondMax: number;
  readonly oldSecretsUntil: string | null;
}

interface WithSecret {
  readonly endpoint: Endpoint;
  readonly secret: string;
}

interface Attempt {
  readonly number: number;
  readonly at: string;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly response: string | null;
}

interface Delivery {
  readonly id: string;
  readonly type: string;
  readonly messageId: string;
  readonly endpointId: string;
  readonly state: string;
  readonly attemptCount: number;
  readonly nextAttemptAt: string | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly createdAt: string;
  readonly endedAt: string | null;
}

interface Message {
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly occurredAt: string;
  readonly body: string;
}

interface TermOptions {
  readonly url?: string;
  readonly events?: readonly string[];
  readonly description?: string;
  readonly concurrency?: number;
  readonly rate?: number;
}

interface FilterOptions {
  readonly endpoint?: string;
  readonly message?: string;
  readonly state?: string;
  readonly limit: number;
}

const endpoint_selection =
  "id url description eventTypes state disabledReason breaker breakerOpenUntil failures failingSince concurrencyMax ratePerSecondMax oldSecretsUntil";
const delivery_selection =
  "id type messageId endpointId state attemptCount nextAttemptAt lastStatus lastError createdAt endedAt";
const attempt_selection = "attempts { number at durationMs status error response }";
const test_wait_ms_max = 20_000;

export function addWebhookCommands(program: Command): void {
  const webhooks = program
    .command("webhooks")
    .description("what is told to receivers of your own, and what became of it");
  addEndpointCommands(webhooks);
  addSecretCommands(webhooks);
  addDeliveryCommands(webhooks);
}

function addEndpointCommands(webhooks: Command): void {
  webhooks
    .command("endpoints")
    .option("--limit <n>", "at most so many", readCount, 100)
    .description("where webhooks go, oldest first")
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const found = await nodesOf<Endpoint>(
        context,
        `query ($first: Int, $after: String) { connection: webhookEndpoints(first: $first, after: $after) { nodes { ${endpoint_selection} } pageInfo { hasNextPage endCursor } } }`,
        {},
        limit,
      );
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["ID", "URL", "EVENTS", "STATE", "BREAKER", "FAILING SINCE", "DESCRIPTION"],
        found.map((endpoint) => [
          endpoint.id,
          endpoint.url,
          endpoint.eventTypes.join(","),
          stateText(endpoint),
          endpoint.breaker,
          endpoint.failingSince ?? "",
          endpoint.description ?? "",
        ]),
        "No endpoints. Add one: weir webhooks create https://example.com/webhooks --events invoice.finalized",
      );
    });

  webhooks
    .command("events")
    .description("the types of events that there are")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const { webhookEventTypes: types } = await context.weir.graphql.run<{
        webhookEventTypes: { name: string; description: string }[];
      }>("{ webhookEventTypes { name description } }", {});
      if (context.json) return printJson(context, types);
      printTable(
        context,
        ["TYPE", "WHEN"],
        types.map(({ name, description }) => [name, description]),
        "None.",
      );
    });

  termOptions(webhooks.command("create").argument("<url>", "https only, at a public address"))
    .description("add a receiver; prints its secret")
    .action(async (url: string, options: TermOptions, command: Command) => {
      const context = contextOf(command);
      if (options.events === undefined)
        throw new UsageError(
          '--events TYPES: name what it is told, such as invoice.finalized, invoice.*, or "*" for all',
        );
      const made = await mutate<WithSecret>(
        context,
        "createWebhookEndpoint",
        { url: ["String!", url], ...termArguments(options), eventTypes: ["[String!]!", options.events] },
        `{ secret endpoint { ${endpoint_selection} } }`,
      );
      printSecret(context, made, `created ${made.endpoint.id}`);
    });

  termOptions(webhooks.command("update").argument("<endpoint>", "its id"))
    .option("--url <url>", "another address")
    .description("change what is given; the rest stays")
    .action(async (id: string, options: TermOptions, command: Command) => {
      const context = contextOf(command);
      const endpoint = await mutate<Endpoint>(
        context,
        "updateWebhookEndpoint",
        {
          endpoint: ["ID!", id],
          url: ["String", options.url],
          eventTypes: ["[String!]", options.events],
          ...termArguments(options),
        },
        `{ ${endpoint_selection} }`,
      );
      if (context.json) printJson(context, endpoint);
      else printEndpoint(context, endpoint);
    });

  for (const [verb, description] of [
    ["disable", "tell it nothing more; what is pending waits"],
    ["enable", "go on with what is pending"],
  ] as const) {
    webhooks
      .command(verb)
      .argument("<endpoint>", "its id")
      .description(description)
      .action(async (id: string, _options: object, command: Command) => {
        const context = contextOf(command);
        const endpoint = await mutate<Endpoint>(
          context,
          `${verb}WebhookEndpoint`,
          { endpoint: ["ID!", id] },
          `{ ${endpoint_selection} }`,
        );
        if (context.json) printJson(context, endpoint);
        else context.out.write(`${endpoint.id} is ${endpoint.state}\n`);
      });
  }

  webhooks
    .command("delete")
    .argument("<endpoint>", "its id")
    .description("delete it with its secrets, for good; its log stays for 30 days")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const deleted = await mutate<string>(context, "deleteWebhookEndpoint", { endpoint: ["ID!", id] }, "");
      if (context.json) printJson(context, { id: deleted });
      else context.out.write(`deleted ${deleted}\n`);
    });
}

function addSecretCommands(webhooks: Command): void {
  webhooks
    .command("rotate")
    .argument("<endpoint>", "its id")
    .option("--overlap-hours <n>", "how long the old one signs too, 0 to 168; 24 when left out", readWhole)
    .description("make another secret and print it")
    .action(async (id: string, { overlapHours }: { overlapHours?: number }, command: Command) => {
      const context = contextOf(command);
      const rotated = await mutate<WithSecret>(
        context,
        "rotateWebhookSecret",
        { endpoint: ["ID!", id], overlapHours: ["Int", overlapHours] },
        `{ secret endpoint { ${endpoint_selection} } }`,
      );
      const until = rotated.endpoint.oldSecretsUntil;
      printSecret(
        context,
        rotated,
        until === null ? "the old secret signs no more" : `the old secret signs too until ${until}`,
      );
    });

  webhooks
    .command("secret")
    .argument("<endpoint>", "its id")
    .description("print its secret; the audit log tells that it was shown")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const revealed = await mutate<WithSecret>(
        context,
        "revealWebhookSecret",
        { endpoint: ["ID!", id] },
        `{ secret endpoint { ${endpoint_selection} } }`,
      );
      if (context.json) printJson(context, revealed);
      else context.out.write(`${revealed.secret}\n`);
    });
}

function addDeliveryCommands(webhooks: Command): void {
  webhooks
    .command("test")
    .argument("<endpoint>", "its id")
    .description("send it an event of type webhook.test, and wait for what it answers")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const { id: delivery } = await mutate<{ id: string }>(
        context,
        "testWebhookEndpoint",
        { endpoint: ["ID!", id] },
        "{ id }",
      );
      const { attempts, ...tested } = await firstAttempt(context, delivery);
      if (context.json) printJson(context, { ...tested, attempts });
      else printDelivery(context, tested, attempts);
      if (tested.state !== "succeeded")
        throw new Error(`the test did not arrive: ${tested.lastError ?? "it was not tried yet"}`);
    });

  webhooks
    .command("deliveries")
    .argument("[delivery]", "one with its attempts")
    .option("--endpoint <id>", "only to this endpoint")
    .option("--message <id>", "only of this message")
    .addOption(new Option("--state <state>", "only these").choices(["pending", "succeeded", "failed"]))
    .option("--limit <n>", "at most so many", readCount, 50)
    .description("messages on their way to endpoints, newest first")
    .action(async (id: string | undefined, { limit, ...filter }: FilterOptions, command: Command) => {
      const context = contextOf(command);
      if (id !== undefined) {
        const { attempts, ...delivery } = await deliveryOf(context, id);
        if (context.json) printJson(context, { ...delivery, attempts });
        else printDelivery(context, delivery, attempts);
        return;
      }
      const found = await nodesOf<Delivery>(
        context,
        `query ($endpoint: ID, $message: ID, $state: WebhookDeliveryState, $first: Int, $after: String) { connection: webhookDeliveries(endpoint: $endpoint, message: $message, state: $state, first: $first, after: $after) { nodes { ${delivery_selection} } pageInfo { hasNextPage endCursor } } }`,
        filter,
        limit,
      );
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["ID", "TYPE", "ENDPOINT", "STATE", "ATTEMPTS", "LAST", "NEXT ATTEMPT", "CREATED"],
        found.map((delivery) => [
          delivery.id,
          delivery.type,
          delivery.endpointId,
          delivery.state,
          String(delivery.attemptCount),
          delivery.lastError ?? String(delivery.lastStatus ?? ""),
          delivery.nextAttemptAt ?? "",
          delivery.createdAt,
        ]),
        "No deliveries.",
      );
    });

  webhooks
    .command("redeliver")
    .argument("[delivery]", "of weir webhooks deliveries")
    .option("--endpoint <id>", "instead of one: all that failed for good of this endpoint")
    .option("--since <instant>", "with --endpoint: failed since then", readInstant)
    .description("send again: one, or all that failed since an instant")
    .action(
      async (
        id: string | undefined,
        { endpoint, since }: { endpoint?: string; since?: string },
        command: Command,
      ) => {
        const context = contextOf(command);
        if (
          (id === undefined) === (endpoint === undefined) ||
          (endpoint === undefined) !== (since === undefined)
        )
          throw new UsageError(
            "name a delivery, or --endpoint ID --since INSTANT for all that failed since then",
          );
        if (id !== undefined) {
          const delivery = await mutate<Delivery>(
            context,
            "redeliverWebhook",
            { delivery: ["ID!", id] },
            `{ ${delivery_selection} }`,
          );
          if (context.json) printJson(context, delivery);
          else context.out.write(`${delivery.id} is sent again\n`);
          return;
        }
        let count = 0;
        for (let mayBeMore = true; mayBeMore; ) {
          const begun = await mutate<{ count: number; mayBeMore: boolean }>(
            context,
            "redeliverFailedWebhooks",
            { endpoint: ["ID!", endpoint], since: ["Instant!", since] },
            "{ count mayBeMore }",
          );
          count += begun.count;
          ({ mayBeMore } = begun);
        }
        if (context.json) printJson(context, { count });
        else context.out.write(`${count} deliveries are sent again\n`);
      },
    );

  webhooks
    .command("messages")
    .argument("[message]", "one with what is sent")
    .option("--type <type>", "only these, such as invoice.finalized")
    .option("--limit <n>", "at most so many", readCount, 50)
    .description("what was told, newest first; kept for 30 days")
    .action(
      async (
        id: string | undefined,
        { limit, ...filter }: { limit: number; type?: string },
        command: Command,
      ) => {
        const context = contextOf(command);
        const selection = "id type key occurredAt body";
        if (id !== undefined) {
          const { webhookMessage } = await context.weir.graphql.run<{ webhookMessage: Message | null }>(
            `query ($id: ID!) { webhookMessage(id: $id) { ${selection} } }`,
            { id },
          );
          if (webhookMessage === null)
            throw new UsageError(`there is no webhook message "${id}"; weir webhooks messages`);
          return printJson(context, { ...webhookMessage, body: JSON.parse(webhookMessage.body) as unknown });
        }
        const found = await nodesOf<Message>(
          context,
          `query ($type: String, $first: Int, $after: String) { connection: webhookMessages(type: $type, first: $first, after: $after) { nodes { ${selection} } pageInfo { hasNextPage endCursor } } }`,
          filter,
          limit,
        );
        if (context.json) return printJson(context, found);
        printTable(
          context,
          ["ID", "TYPE", "ABOUT", "HAPPENED"],
          found.map(({ id: message, type, key, occurredAt }) => [message, type, key, occurredAt]),
          "No messages. Only what an endpoint listens to is kept.",
        );
      },
    );
}

function termOptions(command: Command): Command {
  return command
    .option("--events <types>", 'such as invoice.finalized,credit_note.*; "*" for all', collectList)
    .option("--description <text>", "what it is for")
    .option("--concurrency <n>", "attempts at once, 1 to 20", readCount)
    .option("--rate <n>", "attempts begun per second, 1 to 1000", readCount);
}

function termArguments({ description, concurrency, rate }: TermOptions) {
  return {
    description: ["String", description],
    concurrencyMax: ["Int", concurrency],
    ratePerSecondMax: ["Int", rate],
  } as const;
}

/** Waits for a delivery's first attempt to end. */
async function firstAttempt(
  context: CliContext,
  id: string,
): Promise<Delivery & { readonly attempts: readonly Attempt[] }> {
  const until = Date.now() + test_wait_ms_max;
  for (;;) {
    const delivery = await deliveryOf(context, id);
    if (delivery.attemptCount > 0 || Date.now() >= until) return delivery;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function deliveryOf(
  context: CliContext,
  id: string,
): Promise<Delivery & { readonly attempts: readonly Attempt[] }> {
  const { webhookDelivery } = await context.weir.graphql.run<{
    webhookDelivery: (Delivery & { attempts: Attempt[] }) | null;
  }>(`query ($id: ID!) { webhookDelivery(id: $id) { ${delivery_selection} ${attempt_selection} } }`, { id });
  if (webhookDelivery === null)
    throw new UsageError(`there is no webhook delivery "${id}"; weir webhooks deliveries`);
  return webhookDelivery;
}

function stateText({ state, disabledReason }: Endpoint): string {
  return disabledReason === null ? state : `${state} (${disabledReason})`;
}

function printSecret(context: CliContext, made: WithSecret, what: string): void {
  if (context.json) return printJson(context, made);
  context.out.write(
    `${what}\n\nThe secret, for the receiver to verify signatures with:\n\n  ${made.secret}\n`,
  );
}

function printEndpoint(context: CliContext, endpoint: Endpoint): void {
  printFields(context, [
    ["id", endpoint.id],
    ["url", endpoint.url],
    ["events", endpoint.eventTypes.join(", ")],
    ["description", endpoint.description],
    ["state", stateText(endpoint)],
    ["breaker", endpoint.breaker],
    ["open until", endpoint.breakerOpenUntil],
    ["failures", String(endpoint.failures)],
    ["failing since", endpoint.failingSince],
    ["at once", String(endpoint.concurrencyMax)],
    ["per second", String(endpoint.ratePerSecondMax)],
    ["old secret until", endpoint.oldSecretsUntil],
  ]);
}

function printDelivery(context: CliContext, delivery: Delivery, attempts: readonly Attempt[]): void {
  printFields(context, [
    ["id", delivery.id],
    ["type", delivery.type],
    ["message", delivery.messageId],
    ["endpoint", delivery.endpointId],
    ["state", delivery.state],
    ["next attempt", delivery.nextAttemptAt],
    ["created", delivery.createdAt],
    ["ended", delivery.endedAt],
  ]);
  context.out.write("\n");
  printTable(
    context,
    ["ATTEMPT", "AT", "MS", "STATUS", "ERROR", "ANSWER"],
    attempts.map(({ number, at, durationMs, status, error, response }) => [
      String(number),
      at,
      String(durationMs),
      String(status ?? ""),
      error ?? "",
      (response ?? "").slice(0, 80),
    ]),
    "Not tried yet.",
  );
}
