import { builder } from "../../graphql/builder.js";
import { forwardPage, page_items_max } from "../../graphql/forward-connection.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { LedgerFault } from "../core/index.js";
import type { VerificationPart } from "../ledger-verification.js";
import type { LedgerBlock } from "../store/blocks.js";

const BlockType = builder.objectRef<LedgerBlock>("LedgerBlock").implement({
  description:
    "Postings that were sealed together. Its hash is over everything in them and over the hash before: keep one elsewhere, and nothing up to it can be changed unnoticed.",
  fields: (t) => ({
    number: t.exposeInt("number"),
    postings: t.exposeInt("postings"),
    transfers: t.exposeInt("transfers"),
    firstPostedAt: t.expose("firstPostedAt", { type: "Instant" }),
    lastPostedAt: t.expose("lastPostedAt", { type: "Instant" }),
    previous: t.exposeString("previous", { description: "The hash of the block before." }),
    hash: t.exposeString("hash", { description: "SHA-256, in hexadecimal." }),
    sealedAt: t.expose("sealedAt", { type: "Instant", description: "In real time." }),
  }),
});

const FaultKindEnum = builder.enumType("LedgerFaultKind", {
  values: {
    BLOCK: { value: "block", description: "A block is missing, or not what its hash says." },
    POSTING: { value: "posting", description: "A posting was changed, removed or put in." },
    TRANSFER: { value: "transfer", description: "A transfer was changed, removed or put in." },
    SUMS: { value: "sums", description: "What is kept is not what the transfers add up to." },
    MONTH: {
      value: "month",
      description: "What a month was closed with is not what the transfers add up to.",
    },
  } as const,
});

const FaultType = builder.objectRef<LedgerFault>("LedgerFault").implement({
  description: "The first thing in the books that is not what it was, or does not add up.",
  fields: (t) => ({
    kind: t.field({ type: FaultKindEnum, resolve: (fault) => fault.kind }),
    message: t.exposeString("message"),
    block: t.int({ nullable: true, resolve: (fault) => fault.block ?? null }),
    posting: t.id({ nullable: true, resolve: (fault) => fault.posting ?? null }),
    position: t.int({
      nullable: true,
      description: "Of the posting in its block; of a transfer, in its posting. From 0.",
      resolve: (fault) => fault.position ?? null,
    }),
    account: t.string({ nullable: true, resolve: (fault) => fault.account ?? null }),
  }),
});

const VerificationType = builder.objectRef<VerificationPart>("LedgerVerification").implement({
  description: "A part of a verification, some seconds of it. Counts are of this part.",
  fields: (t) => ({
    stage: t.exposeString("stage", {
      description: "What was looked at last: blocks, rows, unsealed, control, accounts or months.",
    }),
    blocksInAll: t.exposeInt("blocksInAll"),
    blocks: t.exposeInt("blocks"),
    postings: t.exposeInt("postings"),
    accounts: t.exposeInt("accounts"),
    fault: t.field({ type: FaultType, nullable: true, resolve: ({ fault }) => fault ?? null }),
    next: t.string({
      nullable: true,
      description: "Ask with this `after` for the next part. Null at the end, and where something is wrong.",
      resolve: ({ next }) => next ?? null,
    }),
  }),
});

builder.queryFields((t) => ({
  ledgerBlocks: t.connection({
    type: BlockType,
    description: "Sealed blocks, newest first.",
    resolve: async (_root, args, { caller, services }) => {
      const { after, limit } = forwardPage(args, page_items_max);
      const found = await services.books.sealer.blocks(caller.organization, {
        ...(after === undefined ? {} : { before: readNumber(after) }),
        limit: limit + 1,
      });
      const edges = found.slice(0, limit).map((node) => ({ cursor: String(node.number), node }));
      return {
        edges,
        pageInfo: {
          startCursor: edges[0]?.cursor ?? null,
          endCursor: edges.at(-1)?.cursor ?? null,
          hasNextPage: found.length > limit,
          hasPreviousPage: after !== undefined,
        },
      };
    },
  }),
  ledgerVerification: t.field({
    type: VerificationType,
    description:
      "Computes the books anew and compares: the chain of blocks with every posting and transfer in it, kept balances, closed months.",
    complexity: 500,
    args: { after: t.arg.string({ description: "The `next` of the part before." }) },
    resolve: (_root, { after }, { caller, services }) =>
      services.books.verification.verify(caller.organization, after ?? undefined),
  }),
}));

/** @throws Refusal 400 */
function readNumber(cursor: string): number {
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor);
  const detail = "`after` is no cursor of this list: take it from `pageInfo.endCursor` or an edge.";
  throw new Refusal(makeProblem("invalid-cursor", 400, "Not a cursor of this list", detail));
}
