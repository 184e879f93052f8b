import { customerFilter } from "../../billing/api/graphql.js";
import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { mail_kinds } from "../core/index.js";
import type { Mail, MailSettings } from "../index.js";

const MailKindEnum = builder.enumType("MailKind", { values: mail_kinds });

const MailStateEnum = builder.enumType("MailState", {
  description:
    "queued: waits to be tried, or tried again. sent: the SMTP server took it. failed: it will not be tried again. suppressed: recorded and not sent, as of an organization with a test clock.",
  values: ["queued", "sent", "failed", "suppressed"] as const,
});

const MailType = builder.objectRef<Mail>("Mail").implement({
  description: "A mail to one recipient, and what became of it.",
  fields: (t) => ({
    id: t.exposeID("id"),
    kind: t.expose("kind", { type: MailKindEnum }),
    recipient: t.exposeString("recipient"),
    addressedTo: t.string({
      nullable: true,
      description: "Of a blind copy: whom the mail itself went to.",
      resolve: ({ addressedTo }) => addressedTo ?? null,
    }),
    state: t.expose("state", { type: MailStateEnum }),
    reason: t.string({
      nullable: true,
      description: "Why it is not sent, or not yet.",
      resolve: ({ reason }) => reason ?? null,
    }),
    reply: t.string({
      nullable: true,
      description: "What the SMTP server said last.",
      resolve: ({ reply }) => reply ?? null,
    }),
    sending: t.exposeInt("sending", { description: "How often it was asked for: 1 the first time." }),
    attempts: t.exposeInt("attempts", { description: "Of this sending." }),
    messageId: t.string({
      nullable: true,
      description: "The same for each attempt of a sending; null without an SMTP server.",
      resolve: (mail, _args, { caller, services }) =>
        services.mail.messageIdOf(caller.organization, mail) ?? null,
    }),
    invoice: t.id({ nullable: true, resolve: ({ invoice }) => invoice ?? null }),
    customer: t.id({ nullable: true, resolve: ({ customer }) => customer ?? null }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    queuedAt: t.expose("queuedAt", { type: "Instant", description: "When this sending began." }),
    nextAttemptAt: t.field({
      type: "Instant",
      nullable: true,
      description: "Of one that is queued.",
      resolve: ({ state, dueAt }) => (state === "queued" ? dueAt : null),
    }),
    sentAt: t.field({
      type: "Instant",
      nullable: true,
      description: "In real time.",
      resolve: ({ sentAt }) => sentAt ?? null,
    }),
  }),
});

const MailSettingsType = builder.objectRef<MailSettings>("MailSettings").implement({
  description: "How the organization writes its mails.",
  fields: (t) => ({
    fromName: t.string({
      nullable: true,
      description: "Beside the operator's address; the billing profile's name when null.",
      resolve: ({ fromName }) => fromName ?? null,
    }),
    replyTo: t.string({
      nullable: true,
      description: "Where answers go; the billing profile's address when null.",
      resolve: ({ replyTo }) => replyTo ?? null,
    }),
    copies: t.stringList({
      description: "Who gets a blind copy of each mail.",
      resolve: ({ copies }) => [...copies],
    }),
    sendInvoices: t.exposeBoolean("sendInvoices", {
      description: "Whether invoices are sent by themselves when they are finalized.",
    }),
    sendPayments: t.exposeBoolean("sendPayments", {
      description:
        "Whether customers are told of their payments by themselves: receipts, failures, last reminders.",
    }),
    server: t.boolean({
      description: "Whether Weir has an SMTP server. Without one, mails are recorded as suppressed.",
      resolve: (_settings, _args, { services }) => services.config.mail !== undefined,
    }),
  }),
});

builder.queryFields((t) => ({
  mails: t.connection({
    type: MailType,
    description: "Mails, newest first.",
    args: {
      state: t.arg({ type: MailStateEnum }),
      kind: t.arg({ type: MailKindEnum }),
      invoice: t.arg.id({ description: "Id or number." }),
      customer: t.arg.string({ description: "Id or key." }),
    },
    resolve: async (_root, { state, kind, invoice, customer, ...args }, { caller, services }) => {
      const { organization } = caller;
      const filter = {
        ...(state == null ? {} : { state }),
        ...(kind == null ? {} : { kind }),
        ...(invoice == null
          ? {}
          : { invoice: (await services.billing.invoices.get(organization, invoice)).id }),
        ...(await customerFilter({ caller, services }, customer)),
      };
      return forwardConnection(args, (page) => services.mail.list(organization, { ...page, ...filter }));
    },
  }),
  mail: t.field({
    type: MailType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.mail.find(caller.organization, id)) ?? null,
  }),
  mailSettings: t.field({
    type: MailSettingsType,
    resolve: (_root, _args, { caller, services }) => services.mail.settingsOf(caller.organization),
  }),
}));

builder.mutationFields((t) => ({
  setMailSettings: t.field({
    type: MailSettingsType,
    description: "Replaces how the organization writes its mails, as a whole.",
    errors: {},
    args: {
      fromName: t.arg.string({ description: "Beside the operator's address." }),
      replyTo: t.arg.string({ description: "Where answers go." }),
      copies: t.arg.stringList({ description: "At most 5 addresses that get a blind copy of each mail." }),
      sendInvoices: t.arg.boolean({
        description: "Whether invoices are sent by themselves when they are finalized; not when left out.",
      }),
      sendPayments: t.arg.boolean({
        description:
          "Whether customers are told of their payments: receipts, failures, last reminders; not when left out.",
      }),
    },
    resolve: (_root, { fromName, replyTo, copies, sendInvoices, sendPayments }, context) => {
      requireSecretKey(context);
      const input = {
        ...(fromName == null ? {} : { fromName }),
        ...(replyTo == null ? {} : { replyTo }),
        ...(copies == null ? {} : { copies }),
        ...(sendInvoices == null ? {} : { sendInvoices }),
        ...(sendPayments == null ? {} : { sendPayments }),
      };
      return context.services.mail.setSettings(context.caller, input, context.idempotencyKey);
    },
  }),
  sendInvoice: t.field({
    type: [MailType],
    description:
      "Sends a finalized invoice by mail, its PDF and e-invoice attached. To a recipient that has had it, it is sent again. Of an organization with a test clock it is only recorded, as suppressed.",
    errors: {},
    args: {
      invoice: t.arg.id({ required: true, description: "Id or number." }),
      to: t.arg.stringList({ description: "1 to 10 addresses; the customer's when left out." }),
    },
    resolve: (_root, { invoice, to }, context) => {
      requireSecretKey(context);
      const input = { invoice, ...(to == null ? {} : { to }) };
      return context.services.mail.sendInvoice(context.caller, input, context.idempotencyKey);
    },
  }),
  resendMail: t.field({
    type: MailType,
    description: "Sends a mail again, under another Message-ID; one that waits is tried at once.",
    errors: {},
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      return context.services.mail.resend(context.caller, input, context.idempotencyKey);
    },
  }),
  sendTestMail: t.field({
    type: MailType,
    description: "Sends a mail that says that mail works.",
    errors: {},
    args: { to: t.arg.string({ required: true }) },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      return context.services.mail.sendTest(context.caller, input, context.idempotencyKey);
    },
  }),
}));
