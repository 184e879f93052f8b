import { makeProblem, Refusal } from "../../kernel/problem.js";

/** @param kind  of the action that was done */
export function notUndoable(kind: string): Refusal {
  const detail = `What was told to payments ("${kind.replace("_", " ")}") cannot be taken back any more. Correct it there, such as by a refund.`;
  return new Refusal(makeProblem("settlement-not-undoable", 409, "It cannot be taken back", detail));
}
