import { makeProblem, Refusal } from "./problem.js";

const reason_length_max = 512;

/** What a person says for the record. @throws Refusal 400 of the code unless it has 1 to 512 characters */
export function checkReason(reason: string, code: string, title = "The reason is not valid"): void {
  if (reason.length > 0 && reason.length <= reason_length_max) return;
  const message = `1 to ${reason_length_max} characters`;
  const errors = [{ field: "reason", message }];
  throw new Refusal(makeProblem(code, 400, title, `reason: ${message}`, { errors }));
}
