import type { Account } from "../account.js";

/** The object of an id, whatever it is, as it goes over the wire; undefined for one that is not there. */
export function findWire(account: Account, id: string): object | undefined {
  switch (id.slice(0, id.lastIndexOf("_"))) {
    case "cus":
      return account.customers.find(id)?.wire;
    case "pm":
      return account.paymentMethods.find(id)?.wire;
    case "pi":
      return account.paymentIntents.find(id)?.wire;
    case "seti":
      return account.setupIntents.find(id)?.wire;
    case "cs_test":
      return account.checkoutSessions.find(id)?.wire;
    case "ch":
      return account.charges.find(id)?.wire;
    case "re":
      return account.refunds.find(id)?.wire;
    case "du":
      return account.disputes.find(id)?.wire;
    case "po":
      return account.payouts.find(id)?.wire;
    case "txn": {
      const found = account.ledger.transactions.find(id)?.wire;
      return found === undefined ? undefined : account.ledger.shown(found);
    }
    default:
      return undefined;
  }
}
