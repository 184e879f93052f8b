import { builder, requireSecretKey } from "../../graphql/builder.js";
import type { CatalogChange, Difference } from "../core/index.js";
import type { CatalogReport } from "../file/index.js";

const DifferenceType = builder.objectRef<Difference>("CatalogDifference").implement({
  description: "A member that differs: JSON text before and after.",
  fields: (t) => ({
    path: t.exposeString("path"),
    before: t.string({ nullable: true, resolve: (difference) => difference.before ?? null }),
    after: t.string({ nullable: true, resolve: (difference) => difference.after ?? null }),
  }),
});

const ChangeType = builder.objectRef<CatalogChange>("CatalogChange").implement({
  description: "What applying a catalog file does to one thing in it.",
  fields: (t) => ({
    section: t.exposeString("section", { description: '"plans"' }),
    key: t.exposeString("key"),
    action: t.exposeString("action", { description: "create, new_version, change, archive or none" }),
    version: t.int({ nullable: true, resolve: (change) => change.version ?? null }),
    effectiveFrom: t.string({ nullable: true, resolve: (change) => change.effectiveFrom ?? null }),
    differences: t.field({ type: [DifferenceType], resolve: (change) => [...change.differences] }),
  }),
});

const ReportType = builder.objectRef<CatalogReport>("CatalogReport").implement({
  fields: (t) => ({
    dryRun: t.exposeBoolean("dryRun"),
    changes: t.field({ type: [ChangeType], resolve: (report) => [...report.changes] }),
  }),
});

builder.queryFields((t) => ({
  catalogFile: t.string({
    description: "The catalog as YAML. Applied where it came from, it changes nothing.",
    complexity: 500,
    resolve: (_root, _args, { caller, services }) => services.catalogFiles.export(caller.organization),
  }),
}));

builder.mutationFields((t) => ({
  applyCatalog: t.field({
    type: ReportType,
    description:
      "Makes what a catalog file describes, all or nothing. What it does not name stays; applied again, it changes nothing.",
    errors: {},
    args: {
      yaml: t.arg.string({ required: true, description: "At most 1 MiB." }),
      dryRun: t.arg.boolean({ description: "Says what would change, and changes nothing." }),
      effectiveFrom: t.arg({
        type: "Instant",
        description: "From when new plan versions are in force that name no instant; now when left out.",
      }),
    },
    resolve: (_root, { yaml, dryRun, effectiveFrom }, context) => {
      requireSecretKey(context);
      const options = { dryRun: dryRun === true, ...(effectiveFrom == null ? {} : { effectiveFrom }) };
      return context.services.catalogFiles.apply(context.caller, yaml, options, context.idempotencyKey);
    },
  }),
}));
