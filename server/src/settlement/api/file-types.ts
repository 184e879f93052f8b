import { builder, type GraphQLContext } from "../../graphql/builder.js";
import { forwardPage, page_items_max } from "../../graphql/forward-connection.js";
import { MoneyType } from "../../graphql/money-type.js";
import { PeriodType } from "../../graphql/period-type.js";
import { effects, rules } from "../core/matching/index.js";
import { record_kinds, type FileCheck } from "../core/index.js";
import type { RecordWithParts, SettlementAccount, SettlementFile } from "../index.js";
import { file_states, type FileRefusal, type StoredTotal } from "../store/files.js";
import type { StoredAllotment } from "../store/allotments.js";

export const FileStateEnum = builder.enumType("SettlementFileState", {
  description:
    "landed: waits for its turn. parsing, staged, matched: at work. posted: in the books. held: a person decides. refused: not used.",
  values: file_states,
});

const RecordKindEnum = builder.enumType("SettlementRecordKind", { values: record_kinds });
const EffectEnum = builder.enumType("SettlementEffect", {
  description: "What a part of a record did to our books.",
  values: effects,
});
const RuleEnum = builder.enumType("SettlementRule", {
  description: "Why a part of a record is taken for what it is.",
  values: rules,
});

export const SettlementAccountType = builder.objectRef<SettlementAccount>("SettlementAccount").implement({
  description: "An account whose sender reports by files: at a provider, or ours at a bank.",
  fields: (t) => ({
    id: t.exposeID("id"),
    key: t.exposeString("key"),
    name: t.exposeString("name"),
    provider: t.exposeString("provider"),
    side: t.exposeString("side", { description: "provider or bank" }),
  }),
});

const known = new WeakMap<GraphQLContext, Promise<ReadonlyMap<string, SettlementAccount>>>();

/** Looked up once for a request, however many files and exceptions name them. */
export async function accountOf(context: GraphQLContext, id: string): Promise<SettlementAccount> {
  const { services, caller } = context;
  const all =
    known.get(context) ??
    services.settlement
      .accounts(caller.organization)
      .then((accounts) => new Map(accounts.map((account) => [account.id as string, account])));
  known.set(context, all);
  const found = (await all).get(id);
  if (found === undefined) throw new Error(`account ${id} is not there`);
  return found;
}

const CheckType = builder.objectRef<FileCheck>("SettlementFileCheck").implement({
  description: "A hash total, a count, a balance: whether the file agrees with itself.",
  fields: (t) => ({
    name: t.exposeString("name"),
    expected: t.exposeString("expected"),
    found: t.exposeString("found"),
    ok: t.exposeBoolean("ok"),
  }),
});

const TotalType = builder.objectRef<StoredTotal>("SettlementFileTotal").implement({
  description: "Sums over the records of a currency.",
  fields: (t) => ({
    currency: t.exposeString("currency"),
    records: t.exposeInt("records"),
    gross: t.field({
      type: MoneyType,
      resolve: ({ currency, gross }) => ({ currency, minor: BigInt(gross) }),
    }),
    fee: t.field({ type: MoneyType, resolve: ({ currency, fee }) => ({ currency, minor: BigInt(fee) }) }),
    net: t.field({ type: MoneyType, resolve: ({ currency, net }) => ({ currency, minor: BigInt(net) }) }),
  }),
});

const RefusalType = builder.objectRef<FileRefusal>("SettlementFileRefusal").implement({
  description: "Why the whole file is not used, where it is wrong, and what to do.",
  fields: (t) => ({
    line: t.exposeInt("line", { nullable: true }),
    record: t.exposeInt("record", { nullable: true }),
    field: t.exposeString("field", { nullable: true }),
    detail: t.exposeString("detail"),
    advice: t.exposeString("advice"),
  }),
});

const PartType = builder.objectRef<StoredAllotment>("SettlementRecordPart").implement({
  description: "A part of what a record turned out to be. All of them come to what it moved less its fee.",
  fields: (t) => ({
    part: t.exposeInt("part"),
    effect: t.field({ type: EffectEnum, resolve: ({ effect }) => effect }),
    rule: t.field({ type: RuleEnum, resolve: ({ rule }) => rule }),
    amount: t.field({ type: MoneyType, resolve: ({ amount }) => amount }),
    targetKind: t.string({ nullable: true, resolve: ({ target }) => target?.kind ?? null }),
    target: t.id({ nullable: true, resolve: ({ target }) => target?.id ?? null }),
    note: t.string({ nullable: true, resolve: ({ exception }) => exception?.note ?? null }),
  }),
});

export const RecordType = builder.objectRef<RecordWithParts>("SettlementRecord").implement({
  description: "A movement that a file reports. Amounts are signed as our account with the sender sees them.",
  fields: (t) => ({
    position: t.int({ description: "Its number in the file.", resolve: ({ record }) => record.position }),
    key: t.string({
      description: "Names the movement, whatever file it comes in.",
      resolve: ({ record }) => record.key,
    }),
    record: t.int({
      description: "The number of the message, row or entry.",
      resolve: ({ record }) => record.record,
    }),
    line: t.int({ nullable: true, resolve: ({ record }) => record.line ?? null }),
    kind: t.field({ type: RecordKindEnum, resolve: ({ record }) => record.kind }),
    gross: t.field({
      type: MoneyType,
      description: "In the currency that the customer was charged in.",
      resolve: ({ record }) => record.gross,
    }),
    settled: t.field({
      type: MoneyType,
      nullable: true,
      description: "What moved on our account, where that is another currency.",
      resolve: ({ record }) => record.settled ?? null,
    }),
    fee: t.field({
      type: MoneyType,
      nullable: true,
      description: "Above zero is our cost.",
      resolve: ({ record }) => record.fee ?? null,
    }),
    at: t.field({ type: "Instant", resolve: ({ record }) => record.at }),
    references: t.stringList({ resolve: ({ record }) => [...record.references] }),
    payout: t.string({ nullable: true, resolve: ({ record }) => record.payout ?? null }),
    text: t.string({ nullable: true, resolve: ({ record }) => record.text ?? null }),
    counterparty: t.string({ nullable: true, resolve: ({ record }) => record.counterparty ?? null }),
    cardLast4: t.string({ nullable: true, resolve: ({ record }) => record.card?.last4 ?? null }),
    parts: t.field({ type: [PartType], resolve: ({ parts }) => [...parts] }),
    original: t.field({
      type: "JSON",
      description:
        "What the file says, field by field, with card and account numbers masked: read from the file up to there.",
      complexity: 1_500,
      resolve: ({ file, record }, _args, { caller, services }) =>
        services.settlement.files.original(caller.organization, file, record.position),
    }),
  }),
});

export const FileType = builder.objectRef<SettlementFile>("SettlementFile").implement({
  description: "A file of a provider, a card scheme or a bank.",
  fields: (t) => ({
    id: t.exposeID("id"),
    account: t.field({
      type: SettlementAccountType,
      resolve: (file, _args, context) => accountOf(context, file.account),
    }),
    name: t.exposeString("name"),
    sha256: t.exposeString("sha256"),
    state: t.field({ type: FileStateEnum, resolve: ({ state }) => state }),
    format: t.string({
      nullable: true,
      description: "What it was read as; until then, what it is to be read as, where its sender said so.",
      resolve: ({ format, askedFormat }) => format ?? askedFormat ?? null,
    }),
    variant: t.string({ nullable: true, resolve: ({ variant }) => variant ?? null }),
    logicalId: t.string({
      nullable: true,
      description: "The sender's name for it.",
      resolve: ({ logicalId }) => logicalId ?? null,
    }),
    bytes: t.field({ type: "BigInt", resolve: ({ bytes }) => BigInt(bytes) }),
    bytesDone: t.field({ type: "BigInt", resolve: ({ bytesDone }) => BigInt(bytesDone) }),
    recordCount: t.int({ description: "Read so far.", resolve: ({ records }) => records }),
    repeatedCount: t.int({
      description: "Of them: in the books from another file before.",
      resolve: ({ repeated }) => repeated,
    }),
    matchedCount: t.int({
      description: "Of them: known what they are, whatever that is.",
      resolve: ({ matched }) => matched,
    }),
    unmatchedCount: t.int({
      description: "Of those: in suspense, at least in part.",
      resolve: ({ unmatched }) => unmatched,
    }),
    postedCount: t.int({ description: "Up to here in the books.", resolve: ({ posted }) => posted }),
    period: t.field({
      type: PeriodType,
      nullable: true,
      description: "From its first record to its last.",
      resolve: ({ period }) => (period === undefined ? null : { start: period.from, end: period.to }),
    }),
    totals: t.field({ type: [TotalType], resolve: ({ summary }) => [...(summary?.totals ?? [])] }),
    checks: t.field({ type: [CheckType], resolve: ({ summary }) => [...(summary?.checks ?? [])] }),
    leftOut: t.field({
      type: "JSON",
      description: "What it holds that moves no money, by name.",
      resolve: ({ summary }) => summary?.leftOut ?? {},
    }),
    refusal: t.field({ type: RefusalType, nullable: true, resolve: ({ refusal }) => refusal ?? null }),
    waiver: t.string({
      nullable: true,
      description: "Why it is posted although something is wrong with it.",
      resolve: ({ waiver }) => waiver?.reason ?? null,
    }),
    run: t.string({ nullable: true, description: "That reads it.", resolve: ({ run }) => run ?? null }),
    failure: t.string({
      nullable: true,
      description: "Why nothing more happens by itself: its run failed or was canceled.",
      resolve: ({ stopped }) => (stopped === undefined ? null : (stopped.error ?? stopped.state)),
    }),
    landedAt: t.expose("landedAt", { type: "Instant" }),
    endedAt: t.field({ type: "Instant", nullable: true, resolve: ({ endedAt }) => endedAt ?? null }),
    records: t.connection({
      type: RecordType,
      description: "In the order of the file; the cursor is a record's position.",
      resolve: async (file, args, { caller, services }) => {
        const page = forwardPage(args, page_items_max);
        const found = await services.settlement.files.records(caller.organization, file.id, {
          ...page,
          limit: page.limit + 1,
        });
        const edges = found
          .slice(0, page.limit)
          .map((node) => ({ cursor: String(node.record.position), node }));
        return {
          edges,
          pageInfo: {
            startCursor: edges[0]?.cursor ?? null,
            endCursor: edges.at(-1)?.cursor ?? null,
            hasNextPage: found.length > page.limit,
            hasPreviousPage: page.after !== undefined,
          },
        };
      },
    }),
  }),
});
