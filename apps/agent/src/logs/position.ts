/** A place between two records of a container's log. */
export interface Position {
  /** of the file */
  number: number;
  /** in bytes */
  offset: number;
}

export const BEGIN: Position = { number: 0, offset: 0 };

export function cursorOf({ number, offset }: Position): string {
  return `${number}.${offset}`;
}

/** @param cursor as `LogCursorSchema` has it */
export function positionOf(cursor: string): Position {
  const [number = 0, offset = 0] = cursor.split('.').map(Number);
  return { number, offset };
}

/** Negative: `a` comes first. */
export function compare(a: Position, b: Position): number {
  return a.number - b.number || a.offset - b.offset;
}
