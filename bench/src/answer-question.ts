/** The other end of `askProcess`: takes the one message, answers with what the work gives, and ends the process. */
export function answerQuestion<Question>(work: (question: Question) => unknown): void {
  process.once("message", (question: Question) => {
    const end = (message: object, code: number): void => {
      process.send?.(message, undefined, undefined, () => process.exit(code));
    };
    Promise.resolve(question)
      .then(work)
      .then(
        (result) => end({ result }, 0),
        (error: unknown) =>
          end({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 1),
      );
  });
}
