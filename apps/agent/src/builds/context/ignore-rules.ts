import { normalize } from 'node:path/posix';
import { BuildFailure } from '../build-failure.ts';
import { Automaton, type State, TooMuchWork } from './ignore-automaton.ts';
import { BadPattern, SLASH, type Token, tokensOf } from './ignore-pattern.ts';

/** A file or folder of the context, and what the rules say of it. */
export interface Place {
  readonly isIgnored: boolean;
  /** the number of the rule that said so; -1: none did */
  readonly decidedBy: number;
  /** of its path */
  readonly state: State;
}

interface Rule {
  isException: boolean;
  tokens: Token[];
}

const MAX_RULES = 1000;
/** some seconds */
const MAX_WORK = 100_000_000;
const SHOWN_CHARACTERS = 100;

/**
 * What an ignore file says, by BuildKit's rules. Of those that match a path the last one decides;
 * what is in a folder has the folder's decision, unless a later rule matches it itself.
 * @see https://docs.docker.com/build/concepts/context/#dockerignore-files
 * @see moby/patternmatcher, `MatchesUsingParentResults`
 */
export class IgnoreRules {
  readonly #name: string;
  readonly #rules: Rule[];
  readonly #automaton: Automaton;
  /** the context itself */
  readonly root: Place;

  /**
   * @param name the file's, for messages
   * @throws BuildFailure `context-unusable` with the line that is no rule
   */
  constructor(text: string, name: string, maxWork = MAX_WORK) {
    this.#name = name;
    this.#rules = rulesOf(text, name);
    const patterns = this.#rules.map(({ tokens }) => tokens);
    this.#automaton = this.#bounded(() => new Automaton(patterns, maxWork));
    this.root = { isIgnored: false, decidedBy: -1, state: this.#automaton.start };
  }

  /** How much was done by now: a hundred thousand take up to ten milliseconds. */
  get work(): number {
    return this.#automaton.work;
  }

  /**
   * @param path in the context, with `/` between its names
   * @throws BuildFailure `context-unusable` when finding out takes too long
   */
  isIgnored(path: string): boolean {
    let place = this.root;
    for (const name of path.split('/')) place = this.below(place, name);
    return place.isIgnored;
  }

  /** @throws as `isIgnored` */
  below(folder: Place, name: string): Place {
    const state = this.#bounded(() => this.#automaton.read(this.#inside(folder), name));
    let { isIgnored, decidedBy } = folder;
    for (const number of state.matching) {
      if (number <= decidedBy || this.#rules[number]?.isException !== isIgnored) continue;
      isIgnored = !isIgnored;
      decidedBy = number;
    }
    return { isIgnored, decidedBy, state };
  }

  /** Whether the rules may say something else of what is in a folder than of the folder. */
  mayDiffer(folder: Place): boolean {
    return [...this.#automaton.open(this.#inside(folder))].some(
      (number) =>
        number > folder.decidedBy && this.#rules[number]?.isException === folder.isIgnored,
    );
  }

  #inside(folder: Place): State {
    if (folder === this.root) return folder.state;
    return this.#bounded(() => this.#automaton.step(folder.state, SLASH));
  }

  #bounded<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof TooMuchWork)) throw error;
      const message = `${this.#name}: to match its patterns takes too much work. Use fewer of them, or fewer wildcards.`;
      throw new BuildFailure('context-unusable', message, { cause: error });
    }
  }
}

function rulesOf(text: string, name: string): Rule[] {
  const rules: Rule[] = [];
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    const pattern = patternOf(line);
    if (pattern === '') continue;
    const refusal = (why: string): BuildFailure =>
      new BuildFailure('context-unusable', `${name}, line ${index + 1}: ${why}.`);
    if (rules.length === MAX_RULES) throw refusal(`more than ${MAX_RULES} patterns`);
    if (pattern === '!') throw refusal('a pattern has to follow the "!"');
    const isException = pattern.startsWith('!');
    try {
      rules.push({ isException, tokens: tokensOf(isException ? pattern.slice(1) : pattern) });
    } catch (error) {
      if (!(error instanceof BadPattern)) throw error;
      throw refusal(`"${shown(pattern)}" is no pattern: ${error.message}`);
    }
  }
  return rules;
}

/**
 * A line's pattern, with a `!` before it when it is an exception; '' when it has none. Trimmed and
 * cleaned twice, as in Docker, where one who reads the file and one who reads the patterns do so:
 * `/!a` is an exception, `!/` nothing but a `!`.
 */
function patternOf(line: string): string {
  if (line.startsWith('#')) return '';
  const text = trimmed(line);
  const mark = text.startsWith('!') ? '!' : '';
  const path = trimmed(text.slice(mark.length));
  const relative = path === '' ? '' : cleaned(path).replace(/^\/(?=.)/s, '');
  const pattern = trimmed(mark + relative);
  return pattern === '' ? '' : cleaned(pattern);
}

/** Without what Go takes for white space, which is not quite what JavaScript does. */
function trimmed(text: string): string {
  return /\P{White_Space}(?:.*\P{White_Space})?/su.exec(text)?.[0] ?? '';
}

/** As Go's `filepath.Clean`. */
function cleaned(path: string): string {
  return normalize(path).replace(/(?<=.)\/$/s, '');
}

function shown(pattern: string): string {
  return pattern.length > SHOWN_CHARACTERS ? `${pattern.slice(0, SHOWN_CHARACTERS)}…` : pattern;
}
