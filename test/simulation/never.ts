/** Never resolves: what a process that is dead waits for. */
export const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
