import { SLASH, type Token } from './ignore-pattern.ts';

/** After what was read: where in the patterns one may be. */
export interface State {
  /** in the tokens of all patterns, ascending */
  places: Int32Array;
  /** numbers of the patterns that match what was read, ascending */
  matching: readonly number[];
  /** by the character that leads there */
  next: Map<number, State>;
}

/** Who writes the patterns may not choose how long a node thinks about them, and with how much memory. */
export class TooMuchWork extends Error {
  override name = 'TooMuchWork';
}

const MAX_PLACES = 8192;
/** in places, which take 8 bytes */
const MAX_REMEMBERED = 8_000_000;
const TRANSITION = 10;

/**
 * Matches all patterns at once, by the places in them where one may be: no pattern takes more time
 * than its length for each character. Sets of places are remembered, so that of most characters
 * nothing has to be worked out.
 */
export class Automaton {
  /** null: there a pattern ends */
  readonly #tokens: (Token | null)[] = [];
  readonly #patternAt: number[] = [];
  readonly #states = new Map<string, State>();
  readonly #seen: Uint32Array;
  readonly #maxWork: number;
  #round = 0;
  #remembered = 0;
  #work = 0;
  readonly start: State;

  /** @throws TooMuchWork */
  constructor(patterns: readonly Token[][], maxWork: number) {
    this.#maxWork = maxWork;
    const starts: number[] = [];
    for (const [number, tokens] of patterns.entries()) {
      starts.push(this.#tokens.length);
      for (const token of [...tokens, null]) {
        this.#tokens.push(token);
        this.#patternAt.push(number);
      }
    }
    this.#seen = new Uint32Array(this.#tokens.length);
    const places: number[] = [];
    this.#round++;
    for (const start of starts) this.#enter(start, places);
    this.start = this.#stateOf(places);
  }

  /** Characters read, and places looked at for them. */
  get work(): number {
    return this.#work;
  }

  /** @throws TooMuchWork */
  read(state: State, text: string): State {
    let found = state;
    for (const character of text) found = this.step(found, character.codePointAt(0) ?? 0);
    return found;
  }

  /** Numbers of the patterns that match what was read with something more behind it. */
  open({ places }: State): Set<number> {
    const isOpen = (place: number): boolean => this.#tokens[place] !== null;
    return new Set(
      Array.from(places)
        .filter(isOpen)
        .map((place) => this.#patternAt[place] ?? 0),
    );
  }

  /** @throws TooMuchWork */
  step(state: State, character: number): State {
    this.#work++;
    const known = state.next.get(character);
    if (known !== undefined) return known;
    const found = this.#stateOf(this.#placesAfter(state, character));
    if (this.#remembered < MAX_REMEMBERED) {
      this.#remembered += TRANSITION;
      state.next.set(character, found);
    }
    return found;
  }

  #placesAfter(state: State, character: number): number[] {
    const places: number[] = [];
    this.#round++;
    for (const place of state.places) {
      const token = this.#tokens[place];
      this.#work += token?.cost ?? 1;
      if (!token?.takes(character)) continue;
      if (token.kind === 'one') this.#enter(place + 1, places);
      else if (token.kind === 'run' || character === SLASH) this.#enter(place, places);
      else this.#stay(place, places);
    }
    if (this.#work > this.#maxWork) throw new TooMuchWork();
    return places;
  }

  /** Also where one gets from there for nothing: tokens that take nothing too are few in a row. */
  #enter(from: number, places: number[]): void {
    let place = from;
    this.#stay(place, places);
    while (takesNothingToo(this.#tokens[place])) this.#stay(++place, places);
  }

  #stay(place: number, places: number[]): void {
    if (this.#seen[place] === this.#round) return;
    this.#seen[place] = this.#round;
    if (places.length === MAX_PLACES) throw new TooMuchWork();
    places.push(place);
  }

  /** @param found ascending, as it is when places are gone through in their order */
  #stateOf(found: readonly number[]): State {
    const places = Int32Array.from(found);
    if (this.#remembered >= MAX_REMEMBERED) return this.#describe(places);
    const key = Buffer.from(places.buffer).toString('latin1');
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const state = this.#describe(places);
    this.#remembered += places.length;
    this.#states.set(key, state);
    return state;
  }

  #describe(places: Int32Array): State {
    const matching: number[] = [];
    for (const place of places) {
      if (this.#tokens[place] === null) matching.push(this.#patternAt[place] ?? 0);
    }
    return { places, matching, next: new Map() };
  }
}

function takesNothingToo(token: Token | null | undefined): boolean {
  return token?.kind === 'run' || token?.kind === 'folders';
}
