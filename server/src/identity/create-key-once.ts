import { createHash } from "node:crypto";
import { withIdempotency } from "../audit/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import { canonicalJson } from "../kernel/json.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Caller } from "./caller.js";
import type { ApiKey, NewKey } from "./keys.js";
import type { Identity } from "./open-identity.js";

/**
 * Creates a key, once per idempotency key. A repeat cannot be answered as the first time was, because the secret is
 * stored nowhere: it is told which key there is.
 *
 * @throws Refusal 409 for a repeat
 */
export async function createKeyOnce(
  services: { readonly postgres: Postgres; readonly identity: Identity },
  caller: Caller,
  { name, kind }: NewKey,
  idempotencyKey: string | undefined,
): Promise<{ key: ApiKey; secret: string }> {
  if (idempotencyKey === undefined) return services.identity.createKey(caller, { name, kind });
  const requestHash = createHash("sha256")
    .update(canonicalJson({ operation: "createApiKey", name, kind }))
    .digest("hex");
  const { organization } = caller;
  return services.postgres.inOrganization(organization, async (sql) => {
    let created: { key: ApiKey; secret: string } | undefined;
    const id = await withIdempotency(sql, organization, idempotencyKey, requestHash, async () => {
      created = await services.identity.createKeyIn(sql, caller, { name, kind });
      return created.key.id as string;
    });
    if (created !== undefined) return created;
    const detail = `The first request with this idempotency key made ${id}. A key's text is shown once: if it is lost, revoke ${id} and create another.`;
    throw new Refusal(
      makeProblem("key-already-created", 409, "This key was created before", detail, { key: id }),
    );
  });
}
