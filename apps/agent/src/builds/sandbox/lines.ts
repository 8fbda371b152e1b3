/** Longer ones are cut into several. */
const MAX_CHARACTERS = 16 * 1024;

/** Cuts what a program writes into lines, without their ends. What is not UTF-8 becomes U+FFFD, as does NUL. */
export class Lines {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(chunk: Uint8Array): void {
    this.#split(this.#decoder.decode(chunk, { stream: true }));
  }

  /** Nothing comes any more. */
  end(): void {
    this.#split(this.#decoder.decode());
    if (this.#rest !== '') this.#say(this.#rest);
    this.#rest = '';
  }

  #split(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#say(line);
    while (this.#rest.length > MAX_CHARACTERS) {
      this.#say(this.#rest.slice(0, MAX_CHARACTERS));
      this.#rest = this.#rest.slice(MAX_CHARACTERS);
    }
  }

  #say(line: string): void {
    for (let begin = 0; begin === 0 || begin < line.length; begin += MAX_CHARACTERS) {
      this.#onLine(line.slice(begin, begin + MAX_CHARACTERS).replaceAll('\0', '\ufffd'));
    }
  }
}
