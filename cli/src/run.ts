import { Command, CommanderError } from "commander";
import { WeirError } from "@weir/sdk";
import { FileFault, MappingFault } from "@weir/sdk/files";
import { addAddOnCommands } from "./commands/add-ons.js";
import { addAuditCommand } from "./commands/audit.js";
import { addBacktestCommand } from "./commands/backtest.js";
import { addClockCommands } from "./commands/clock.js";
import { addConfigCommand } from "./commands/config.js";
import { addCouponCommands } from "./commands/coupons.js";
import { addCreditCommands } from "./commands/credits.js";
import { addDisputeCommands } from "./commands/disputes.js";
import { addDunningCommands } from "./commands/dunning.js";
import { addCustomerCommands } from "./commands/customers.js";
import { addEventCommands } from "./commands/events.js";
import { addImportCommands } from "./commands/imports.js";
import { addInvoiceCommands } from "./commands/invoices.js";
import { addKeyCommands } from "./commands/keys.js";
import { addLedgerCommands } from "./commands/ledger.js";
import { addMailCommands } from "./commands/mail.js";
import { addMeterCommands } from "./commands/meters.js";
import { addOrganizationCommands } from "./commands/organization.js";
import { addPaymentCommands } from "./commands/payments.js";
import { addPayoutCommands } from "./commands/payouts.js";
import { addReceivableCommands } from "./commands/receivables.js";
import { addRefundCommands } from "./commands/refunds.js";
import { addPlanCommands } from "./commands/plans.js";
import { addProductCommands } from "./commands/products.js";
import { addReconcileCommands } from "./commands/reconcile.js";
import { addRunCommands } from "./commands/runs.js";
import { addSettleCommands } from "./commands/settle.js";
import { addSubscriptionCommands } from "./commands/subscriptions.js";
import { addTaxCommands } from "./commands/tax.js";
import { addUsageCommand } from "./commands/usage.js";
import { addWebhookCommands } from "./commands/webhooks.js";
import { defaultUrl, UsageError } from "./context.js";

/** Exit codes, for scripts. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, refused: 3, unavailable: 4 } as const;

/** Runs one command line and returns its exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const program = new Command("weir")
    .description("Weir on the command line: usage in, explained amounts out.")
    .option("--url <url>", `where Weir is (WEIR_URL, ${defaultUrl})`)
    .option("--key <key>", "API key (WEIR_KEY)")
    .option("--json", "print JSON, for programs")
    .exitOverride()
    .showHelpAfterError("(weir --help lists the commands)");
  addEventCommands(program);
  addUsageCommand(program);
  addMeterCommands(program);
  addImportCommands(program);
  addCustomerCommands(program);
  addPlanCommands(program);
  addProductCommands(program);
  addAddOnCommands(program);
  addCouponCommands(program);
  addSubscriptionCommands(program);
  addInvoiceCommands(program);
  addReceivableCommands(program);
  addPaymentCommands(program);
  addRefundCommands(program);
  addDisputeCommands(program);
  addPayoutCommands(program);
  addDunningCommands(program);
  addBacktestCommand(program);
  addTaxCommands(program);
  addOrganizationCommands(program);
  addCreditCommands(program);
  addLedgerCommands(program);
  addSettleCommands(program);
  addReconcileCommands(program);
  addMailCommands(program);
  addRunCommands(program);
  addClockCommands(program);
  addWebhookCommands(program);
  addKeyCommands(program);
  addAuditCommand(program);
  addConfigCommand(program);
  program.addHelpText(
    "after",
    "\nExit codes: 0 ok, 1 failure, 2 usage, 3 refused by the server, 4 unavailable.",
  );
  inheritExitOverride(program);
  try {
    await program.parseAsync([...argv]);
    return exitCodes.ok;
  } catch (error) {
    return report(error);
  }
}

function inheritExitOverride(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride();
    inheritExitOverride(child);
  }
}

/** A mapping's options by the names that they have on the command line. */
function explainMapping({ option, message }: MappingFault): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}: ${message}`;
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof UsageError || error instanceof FileFault) {
    process.stderr.write(`weir: ${error instanceof MappingFault ? explainMapping(error) : error.message}\n`);
    return exitCodes.usage;
  }
  if (error instanceof WeirError) {
    process.stderr.write(`weir: ${error.problem.title}: ${error.message}\n`);
    const errors =
      error.problem["errors"] ??
      (error.problem["details"] as { errors?: unknown } | null | undefined)?.errors;
    if (Array.isArray(errors)) {
      for (const each of errors.slice(0, 20)) process.stderr.write(`  ${JSON.stringify(each)}\n`);
      if (errors.length > 20) process.stderr.write(`  … and ${errors.length - 20} more\n`);
    }
    return error.status === 0 || error.status >= 500 || error.status === 429
      ? exitCodes.unavailable
      : exitCodes.refused;
  }
  process.stderr.write(`weir: ${error instanceof Error ? error.message : String(error)}\n`);
  return exitCodes.failure;
}
