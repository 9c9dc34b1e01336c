/** Whose steps are on no server: no controller of the architecture looks after them. No architecture can be called so. */
export const localName = (architecture: string): string => `${architecture}.local`;
