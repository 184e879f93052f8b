import { makeProblem, Refusal, StoreUnavailable } from "../kernel/problem.js";
import { ProviderBusy, ProviderRefusal, ProviderUnanswered } from "./provider-failure.js";

/**
 * Asks a provider for someone who waits for the answer.
 * @throws Refusal 422 with the provider's words; StoreUnavailable when it does not answer
 */
export async function askProvider<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProviderRefusal)
      throw new Refusal(makeProblem("provider-refused", 422, "The provider does not take it", error.message));
    if (error instanceof ProviderBusy || error instanceof ProviderUnanswered)
      throw new StoreUnavailable(`the provider did not answer: ${error.message}`, { cause: error });
    throw error;
  }
}
