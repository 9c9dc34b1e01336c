/** Axis → values. */
export type Matrix = Readonly<Record<string, readonly string[]>>;

/** One value of each axis. */
export type Cell = Readonly<Record<string, string>>;

/** Every combination, in the order of the axes' names and then as the values are written; of no axis one, which is empty. */
export function cellsOf(matrix: Matrix = {}): Cell[] {
  // Nothing that is hashed keeps the order of members, so it must not matter.
  const axes = Object.keys(matrix).toSorted();
  return axes.reduce<Cell[]>(
    (cells, axis) => cells.flatMap((cell) => (matrix[axis] ?? []).map((value) => ({ ...cell, [axis]: value }))),
    [{}],
  );
}

/** How many there are, without making them. */
export const cellCount = (matrix: Matrix): number => Object.values(matrix).reduce((count, values) => count * values.length, 1);

const reference = /(\$?)\$\{([A-Za-z_][\w-]*)\}/g;

/** The axes that a text refers to as `${axis}`, each as often as it does. `$${name}` refers to none. */
export const axesIn = (text: string): string[] =>
  [...text.matchAll(reference)].flatMap(([, escape, axis]) => (escape === '' && axis !== undefined ? [axis] : []));

/** The text with the values of a cell in place of `${axis}`, and `${name}` in place of `$${name}`. */
export const filledIn = (text: string, cell: Cell): string =>
  text.replaceAll(reference, (whole: string, escape: string, axis: string) => {
    if (escape !== '') return whole.slice(1);
    return Object.hasOwn(cell, axis) ? (cell[axis] ?? whole) : whole;
  });
