import { builder } from "../../graphql/builder.js";
import { parseId } from "../../kernel/ids.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { listAudit, type AuditEntry } from "../index.js";

const AuditEntryType = builder.objectRef<AuditEntry>("AuditEntry").implement({
  description: "One change: who, when, what, before and after. Entries are never changed or deleted.",
  fields: (t) => ({
    id: t.exposeID("id"),
    at: t.expose("at", { type: "Instant" }),
    actor: t.exposeString("actor", { description: 'The API key it came with, or "system".' }),
    action: t.exposeString("action", { description: "thing.verb, such as meter.create" }),
    target: t.exposeString("target", { description: "The id of what was changed." }),
    before: t.field({ type: "JSON", nullable: true, resolve: (entry) => entry.before }),
    after: t.field({ type: "JSON", nullable: true, resolve: (entry) => entry.after }),
  }),
});

builder.queryFields((t) => ({
  auditLog: t.connection({
    type: AuditEntryType,
    description: "What was changed in the organization, newest first. Pages go forward only: first, after.",
    args: { target: t.arg.string(), actor: t.arg.string(), action: t.arg.string() },
    resolve: async (_root, { first, after, last, before, target, actor, action }, { caller, services }) => {
      if (last != null || before != null) {
        const detail =
          "The audit log is read newest first: use `first` and `after`, not `last` and `before`.";
        throw new Refusal(makeProblem("invalid-page", 400, "Pages go forward only", detail));
      }
      const from = after == null ? undefined : parseId("aud", after);
      if (after != null && from === undefined) {
        const detail = "`after` is the endCursor of an earlier page.";
        throw new Refusal(makeProblem("invalid-page", 400, "The cursor is not valid", detail));
      }
      const page = await listAudit(services.postgres, caller.organization, {
        first: first ?? undefined,
        after: from,
        target: target ?? undefined,
        actor: actor ?? undefined,
        action: action ?? undefined,
      });
      const edges = page.entries.map((node) => ({ cursor: node.id, node }));
      return {
        edges,
        pageInfo: {
          startCursor: edges[0]?.cursor ?? null,
          endCursor: edges.at(-1)?.cursor ?? null,
          hasNextPage: page.hasNext,
          hasPreviousPage: from !== undefined,
        },
      };
    },
  }),
}));
