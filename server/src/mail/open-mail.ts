import type { InvoiceDocument } from "../documents/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { Workflows } from "../engines/workflow/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { parseMailbox } from "../kernel/email-address.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { Wakes } from "../time/index.js";
import { Deliveries } from "./deliveries.js";
import { noteDeliveryBy, registerMailDelivery } from "./mail-delivery.js";
import { Mails, type MailsOptions } from "./mails.js";
import { SmtpSender } from "./smtp-sender.js";

/** What of the configuration is about mail; undefined without an SMTP server. */
export interface MailConfig {
  readonly smtpUrl: string;
  /** "Weir <billing@nimbus.example>" */
  readonly from: string;
  readonly testClocks: boolean;
  /** Of one organization. */
  readonly perMinuteMax: number;
}

export interface MailOptions extends Pick<MailsOptions, "invoices" | "customerOf"> {
  readonly config: MailConfig | undefined;
  readonly postgres: Postgres;
  readonly clock: Clock;
  readonly clocks: Clocks;
  readonly workflows: Workflows;
  readonly wakes: Wakes;
  readonly documentOf: (organization: OrganizationId, invoice: string) => Promise<InvoiceDocument>;
}

/** Opens mail, with the run that delivers it where there is a server to deliver to. */
export function openMail({ config, ...on }: MailOptions): Mails {
  const from = config === undefined ? undefined : parseMailbox(config.from);
  const mails = new Mails({
    ...on,
    from: from?.address,
    testClocks: config?.testClocks ?? false,
    deliveryNoted: noteDeliveryBy(on.wakes),
  });
  if (config !== undefined && from !== undefined) {
    const { smtpUrl, perMinuteMax } = config;
    const server = { from, sender: new SmtpSender(smtpUrl), perMinuteMax };
    registerMailDelivery(new Deliveries({ ...on, server }), on);
  }
  return mails;
}
