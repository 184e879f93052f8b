import { makeProblem, Refusal } from "../kernel/problem.js";

export function unknownAccount(idOrKey: string): Refusal {
  const detail = `There is no provider account "${idOrKey.slice(0, 64)}".`;
  return new Refusal(makeProblem("provider-account-not-found", 404, "No such provider account", detail));
}
