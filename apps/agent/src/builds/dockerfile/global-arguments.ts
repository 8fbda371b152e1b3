/**
 * Values of the ARGs in front of the first FROM.
 * @see Docker, Dockerfile reference, "Understand how ARG and FROM interact"
 */
export class GlobalArguments {
  readonly #given: Readonly<Record<string, string>>;
  readonly #values = new Map<string, string>();

  /** @param given with the build: they win over defaults */
  constructor(given: Readonly<Record<string, string>>) {
    this.#given = given;
  }

  /** @param word `NAME`, `NAME=default`; one without a value stands for nothing */
  declare(word: string): void {
    const [name = '', ...rest] = word.split('=');
    const given = Object.hasOwn(this.#given, name) ? this.#given[name] : undefined;
    this.#values.set(name, given ?? this.expanded(unquoted(rest.join('='))) ?? '');
  }

  /** `$NAME`, `${NAME}`, `${NAME:-word}`, `${NAME:+word}`; null when something else stands there */
  expanded(word: string): string | null {
    const text = unquoted(word).replace(
      /\$(?:(\w+)|\{(\w+)(?:(:[-+])([^${}]*))?\})/g,
      (_, bare: string | undefined, name: string | undefined, how?: string, other = '') => {
        const value = this.#values.get(bare ?? name ?? '') ?? '';
        if (how === ':-') return value === '' ? other : value;
        if (how === ':+') return value === '' ? '' : other;
        return value;
      },
    );
    return text.includes('$') || text === '' ? null : text;
  }
}

function unquoted(word: string): string {
  return word.replace(/^(["'])(.*)\1$/s, '$2');
}
