/**
 * A look that many take at once. Whoever asks while one is under way shares the next one with all who ask meanwhile: what it gives is
 * never older than the question.
 */
export function sharedLook<T>(look: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<unknown> | undefined;
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    next = undefined;
    const begun = look();
    const over: Promise<unknown> = begun.then(end, end);
    function end(): void {
      if (underWay === over) underWay = undefined;
    }
    underWay = over;
    return begun;
  };
  return () => {
    if (underWay && !next) next = underWay.then(begin);
    return next ?? begin();
  };
}
