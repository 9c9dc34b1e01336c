/** The same names, each with what the function makes of its value. */
export const mapValues = <From, To>(
  record: Readonly<Record<string, From>> = {},
  map: (value: From, name: string) => To,
): Record<string, To> => Object.fromEntries(Object.entries(record).map(([name, value]): [string, To] => [name, map(value, name)]));
