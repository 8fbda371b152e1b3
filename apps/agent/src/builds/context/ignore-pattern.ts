/** One place of a pattern, and what it takes of a path. */
export interface Token {
  /**
   * - `one`: a character
   * - `run`: any number of characters
   * - `folders`: nothing, or any number of characters and a slash
   */
  kind: 'one' | 'run' | 'folders';
  /** @param character its code point */
  takes(character: number): boolean;
  /** how long `takes` takes */
  cost: number;
}

/** Its message says what is wrong with the pattern. */
export class BadPattern extends Error {
  override name = 'BadPattern';
}

export const SLASH = 0x2f;
const NEWLINE = 0x0a;

const all = { takes: () => true, cost: 1 };
const inName = { takes: (character: number) => character !== SLASH, cost: 1 };
const inLine = { takes: (character: number) => character !== NEWLINE, cost: 1 };

/**
 * A pattern of an ignore file: Go's `filepath.Match`, and `**`. As in Docker, `**` stops at newlines,
 * but not where it is the only wildcard and at an end; where it begins a pattern without others it
 * also begins within a name; and `[^a]` takes a slash. Unlike there, nothing else has a meaning: what
 * Docker lets through to its regular expressions (`|`, `{2}`, `^`, `\d`, a `*` in `[…]`) it documents nowhere.
 * @throws BadPattern
 * @see https://pkg.go.dev/path/filepath#Match
 */
export function tokensOf(pattern: string): Token[] {
  const [plain, head, text = '', tail] = /^(\*\*)?([^*?[\]\\]*)(\*\*)?$/.exec(pattern) ?? [];
  if (plain === undefined || (head && tail)) return globTokens([...pattern]);
  if (head === undefined) return [...literals(text), ...(tail ? [run(all)] : [])];
  if (!text.startsWith('/')) return [run(all), ...literals(text)];
  return [{ kind: 'folders', ...all }, ...literals(text.slice(1))];
}

function globTokens(characters: readonly string[]): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < characters.length) {
    const character = characters[at];
    if (character === '*' && characters[at + 1] === '*') {
      at += characters[at + 2] === '/' ? 3 : 2;
      if (at === characters.length) tokens.push(run(inLine));
      // a second one adds nothing
      else if (tokens.at(-1)?.kind !== 'folders') tokens.push({ kind: 'folders', ...inLine });
    } else if (character === '[') {
      const { token, end } = classAt(characters, at);
      tokens.push(token);
      at = end;
    } else {
      if (character === '*') tokens.push(run(inName));
      else if (character === '?') tokens.push({ kind: 'one', ...inName });
      else tokens.push(literal(character === '\\' ? characters[++at] : character));
      at++;
    }
  }
  return tokens;
}

function run(what: Omit<Token, 'kind'>): Token {
  return { kind: 'run', ...what };
}

function literals(text: string): Token[] {
  return Array.from(text, literal);
}

function literal(character: string | undefined): Token {
  if (character === undefined) throw new BadPattern('nothing follows its last "\\"');
  const wanted = character.codePointAt(0);
  return { kind: 'one', takes: (found) => found === wanted, cost: 1 };
}

/** @param open where its `[` is */
function classAt(characters: readonly string[], open: number): { token: Token; end: number } {
  const isNegated = characters[open + 1] === '^';
  let at = open + (isNegated ? 2 : 1);
  const next = (): number => {
    if (characters[at] === '-' || characters[at] === ']') {
      throw new BadPattern(`in its "[…]" a "${characters[at]}" stands where a character has to`);
    }
    if (characters[at] === '\\') at++;
    const character = characters[at++]?.codePointAt(0);
    if (character === undefined) throw new BadPattern('its "[" is not closed');
    return character;
  };
  const ranges: { low: number; high: number }[] = [];
  do {
    const low = next();
    const hasEnd = characters[at] === '-';
    if (hasEnd) at++;
    const high = hasEnd ? next() : low;
    if (high < low) throw new BadPattern('a range in its "[…]" ends before it begins');
    ranges.push({ low, high });
  } while (characters[at] !== ']');
  const takes = (found: number): boolean =>
    ranges.some(({ low, high }) => low <= found && found <= high) !== isNegated;
  return { token: { kind: 'one', takes, cost: ranges.length }, end: at + 1 };
}
