import type { z } from "zod";
import { makeProblem, Refusal } from "../../kernel/problem.js";

/** What a request says, checked. @throws Refusal 400 that names each field at fault */
export function read<T>(schema: z.ZodType<T>, value: unknown, slug: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const detail = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new Refusal(makeProblem(slug, 400, "The request is not valid", detail));
}
