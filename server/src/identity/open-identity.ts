import { hash } from "node:crypto";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Clock } from "../kernel/clock.js";
import type { OrganizationId } from "../kernel/ids.js";
import { StoreUnavailable } from "../kernel/problem.js";
import {
  findBillingProfile,
  setBillingProfile,
  type BillingProfile,
  type NewBillingProfile,
} from "./billing-profile.js";
import { bootstrap, type BootstrapResult } from "./bootstrap.js";
import type { Caller } from "./caller.js";
import { parseBearer } from "./core/index.js";
import { KeyCache } from "./key-cache.js";
import { issueKey, markKeyRevoked, revokeKey, type ApiKey, type NewKey } from "./keys.js";
import { createOrganization, type NewOrganization, type Organization } from "./organizations.js";
import { findKeyByHash, selectApiKeys, touchKey } from "./store/api-keys.js";
import { selectOrganization, selectOrganizationBySlug } from "./store/organizations.js";

/** Organizations, their keys, and who signs in with one. */
export interface Identity {
  /**
   * Who sends `Authorization: Bearer <key>`; undefined for no, an unknown or a revoked key. Called once a request:
   * synchronous for a key used within the last 10 s, which is how long another process' revocation may take to be seen.
   * @throws StoreUnavailable when PostgreSQL is needed and away, or too many keys are looked up at once
   */
  authenticate(authorization: string | undefined): Caller | undefined | Promise<Caller | undefined>;
  /** The hash that `authenticate` looks a header's key up by; undefined when it holds none. */
  hashOf(authorization: string): string | undefined;
  /** Who signs in with the key of this hash, as far as that is known without asking the store. */
  known(hash: string): Caller | undefined;
  /** The organization `default` and its first key; at every start, before requests. */
  bootstrap(bootstrapKey: string | undefined): Promise<BootstrapResult>;
  /** @throws Refusal 400, 409 */
  createOrganization(input: NewOrganization): Promise<Organization>;
  findOrganizationBySlug(slug: string): Promise<Organization | undefined>;
  findOrganization(id: OrganizationId): Promise<Organization | undefined>;
  /** What invoices say about the seller; undefined until it is set. */
  findBillingProfile(organization: OrganizationId): Promise<BillingProfile | undefined>;
  /** Replaces the profile as a whole. @throws Refusal 400 */
  setBillingProfile(
    caller: Caller,
    profile: NewBillingProfile,
    idempotencyKey?: string,
  ): Promise<BillingProfile>;
  /** Newest first, revoked ones too. */
  listKeys(organization: OrganizationId): Promise<ApiKey[]>;
  /** The secret is in the answer and nowhere else. @throws Refusal 400, 409 */
  createKey(caller: Caller, input: NewKey): Promise<{ key: ApiKey; secret: string }>;
  /** As createKey, in a transaction of the caller's organization: for what must commit together with it. */
  createKeyIn(sql: Sql, caller: Caller, input: NewKey): Promise<{ key: ApiKey; secret: string }>;
  /** A key for Weir's own use, such as the demo's: takes the place of earlier ones of its name. */
  issueSystemKey(organization: OrganizationId, input: NewKey): Promise<{ caller: Caller; secret: string }>;
  /** At once here, within 10 s in other processes. Again changes nothing. @throws Refusal 404, 409 for the last secret key */
  revokeKey(caller: Caller, id: string): Promise<ApiKey>;
}

export interface IdentityOptions {
  readonly postgres: Postgres;
  readonly clock: Clock;
}

export function openIdentity({ postgres, clock }: IdentityOptions): Identity {
  const cache = new KeyCache({
    load: (encoded) =>
      postgres.asSystem(async (sql) => {
        const found = await findKeyByHash(sql, Buffer.from(encoded, "base64"));
        if (found === undefined || found.revoked) return undefined;
        await touchKey(sql, found, clock.now());
        return { organization: found.organization, key: found.id, kind: found.kind };
      }),
    nowMs: () => performance.now(),
    overloaded: () => new StoreUnavailable("Too many unknown keys are being looked up."),
  });

  const createKeyIn: Identity["createKeyIn"] = (sql, caller, input) =>
    issueKey(sql, caller.organization, input, { actor: caller, origin: "issued", at: clock.now() });

  const hashOf = (authorization: string | undefined) => {
    const token = parseBearer(authorization);
    return token === undefined ? undefined : hash("sha256", token, "base64");
  };
  return {
    authenticate(authorization) {
      const hashed = hashOf(authorization);
      return hashed === undefined ? undefined : cache.find(hashed);
    },
    hashOf,
    known(hashed) {
      const found = cache.find(hashed);
      if (!(found instanceof Promise)) return found;
      found.catch(() => undefined); // the request asks again, in Fastify
      return undefined;
    },
    bootstrap: (bootstrapKey) => postgres.asSystem((sql) => bootstrap(sql, bootstrapKey, clock.now())),
    createOrganization: (input) => postgres.asSystem((sql) => createOrganization(sql, input, clock.now())),
    findOrganizationBySlug: (slug) => postgres.asSystem((sql) => selectOrganizationBySlug(sql, slug)),
    findOrganization: (id) => postgres.inOrganization(id, (sql) => selectOrganization(sql, id)),
    findBillingProfile: (organization) =>
      postgres.inOrganization(organization, (sql) => findBillingProfile(sql, organization)),
    setBillingProfile: (caller, profile, idempotencyKey) =>
      postgres.inOrganization(caller.organization, (sql) =>
        setBillingProfile(sql, caller, profile, { at: clock.now(), idempotencyKey }),
      ),
    listKeys: (organization) =>
      postgres.inOrganization(organization, (sql) => selectApiKeys(sql, organization)),
    createKey: (caller, input) =>
      postgres.inOrganization(caller.organization, (sql) => createKeyIn(sql, caller, input)),
    createKeyIn,
    async issueSystemKey(organization, input) {
      const by = { actor: "system", origin: "system", at: clock.now() } as const;
      const { replaced, issued } = await postgres.inOrganization(organization, async (sql) => {
        const keys = await selectApiKeys(sql, organization);
        const earlier = keys.filter(
          ({ origin, name, revokedAt }) =>
            origin === "system" && name === input.name && revokedAt === undefined,
        );
        for (const key of earlier) await markKeyRevoked(sql, organization, key, by);
        return { replaced: earlier, issued: await issueKey(sql, organization, input, by) };
      });
      for (const { id } of replaced) cache.forget(id);
      return { caller: { organization, key: issued.key.id, kind: issued.key.kind }, secret: issued.secret };
    },
    async revokeKey(caller, id) {
      const by = { actor: caller, at: clock.now() };
      const key = await postgres.inOrganization(caller.organization, (sql) =>
        revokeKey(sql, caller.organization, id, by),
      );
      cache.forget(key.id);
      return key;
    },
  };
}
