import { type Command, Option } from "commander";
import { contextOf } from "../context.js";
import { mutate } from "../mutate.js";
import { printJson, printTable } from "../print.js";

interface ApiKey {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly hint: string;
  readonly origin: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
}

const selection = "{ id kind name hint origin createdAt lastUsedAt revokedAt }";

export function addKeyCommands(program: Command): void {
  const keys = program.command("keys").description("API keys");

  keys
    .command("list")
    .description("the keys; only their hints are stored")
    .option("--revoked", "also those that were revoked")
    .action(async ({ revoked = false }: { revoked?: boolean }, command: Command) => {
      const context = contextOf(command);
      const { apiKeys } = await context.weir.graphql.run<{ apiKeys: ApiKey[] }>(
        `query ($revoked: Boolean) { apiKeys(revoked: $revoked) ${selection} }`,
        { revoked },
      );
      if (context.json) return printJson(context, apiKeys);
      printTable(
        context,
        ["ID", "KIND", "NAME", "HINT", "CREATED", "LAST USED", ...(revoked ? ["REVOKED"] : [])],
        apiKeys.map((key) => [
          key.id,
          key.kind,
          key.name,
          key.hint,
          key.createdAt,
          key.lastUsedAt ?? "never",
          ...(revoked ? [key.revokedAt ?? ""] : []),
        ]),
        "No keys.",
      );
    });

  keys
    .command("create")
    .argument("<name>", "what it is for")
    .addOption(
      new Option("--kind <kind>", "ingest only sends, read only reads, secret does everything")
        .choices(["ingest", "read", "secret"])
        .makeOptionMandatory(),
    )
    .description("create a key; it is shown once")
    .action(async (name: string, { kind }: { kind: string }, command: Command) => {
      const context = contextOf(command);
      const created = await mutate<{ key: ApiKey; secret: string }>(
        context,
        "createApiKey",
        { kind: ["ApiKeyKind!", kind], name: ["String!", name] },
        `{ key ${selection} secret }`,
      );
      if (context.json) return printJson(context, created);
      context.err.write(`Keep it now: only a hash of it is stored (${created.key.id}).\n`);
      context.out.write(`${created.secret}\n`);
    });

  keys
    .command("revoke")
    .argument("<id>", "of weir keys list")
    .description("refuse a key from now on")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const key = await mutate<ApiKey>(context, "revokeApiKey", { id: ["ID!", id] }, selection);
      if (context.json) printJson(context, key);
      else context.out.write(`revoked ${key.id} (${key.name})\n`);
    });
}
