import { parseImageReference } from '@slipway/oci';

/** As the builder tells words apart: Go's `unicode.IsSpace`. */
const SPACES = /[\s\u0085]+/;

/** The flags that one may use here. Those of other instructions are the builder's to refuse. */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  FROM: ['platform'],
  RUN: ['mount', 'network'],
  COPY: ['from', 'chown', 'chmod'],
  ADD: ['chown', 'chmod'],
};
const NETWORKS = ['none', 'default'];
const MOUNTS = ['bind', 'cache', 'secret', 'tmpfs'];

/** One that could be read in another way than the builder does is none. */
const FLAG = /^--([a-z]+)=([\x21-\x7e]+)$/;
const QUOTED = /["'\\]/;

/** An instruction as its keyword, its flags and the words behind them. */
export interface Parsed {
  keyword: string;
  flags: string[];
  words: string[];
}

export function parsed(text: string): Parsed {
  const [keyword = '', ...rest] = text.split(SPACES).filter(Boolean);
  const end = rest.findIndex((word) => !word.startsWith('--'));
  const flags = end === -1 ? rest : rest.slice(0, end);
  return { keyword: keyword.toUpperCase(), flags, words: rest.slice(flags.length) };
}

/**
 * What an instruction may not do here: take anything from the builder's machine or network, but for
 * stages and images of this platform.
 * @param text in one line
 * @param stageNames in lower case
 * @returns why; null when it may be carried out
 */
export function whyRefused(text: string, stageNames: ReadonlySet<string>): string | null {
  const { keyword, flags, words } = parsed(text);
  if (keyword === 'ONBUILD') return whyRefused(words.join(' '), stageNames);
  const known = FLAGS[keyword];
  for (const flag of known === undefined ? [] : flags) {
    const [, name = '', value = ''] = FLAG.exec(flag) ?? [];
    if (name === '' || QUOTED.test(value)) {
      return `"${flag}" is no flag such as --name=value, without quotes`;
    }
    if (!known?.includes(name)) return `--${name} is not supported`;
    const why = whyNoFlag(name, value, stageNames);
    if (why !== null) return why;
  }
  const takesHereDocuments = ['ADD', 'COPY', 'RUN'].includes(keyword);
  if (takesHereDocuments && words.some((word) => /^\d*<<-?[^<]+$/.test(word))) {
    return 'here-documents are not supported yet';
  }
  if (keyword === 'ADD' && words.some((word) => /:\/\/|\$|^["[]*git@/.test(word))) {
    return 'a build has no network: put the file into the context';
  }
  return null;
}

function whyNoFlag(name: string, value: string, stageNames: ReadonlySet<string>): string | null {
  switch (name) {
    case 'from':
      return whyNoSource(value, stageNames);
    case 'mount':
      return whyNoMount(value, stageNames);
    case 'network':
      return NETWORKS.includes(value) ? null : 'a build has no network: leave --network out';
    default:
      return null;
  }
}

/** @see Docker, Dockerfile reference, "RUN --mount" */
function whyNoMount(value: string, stageNames: ReadonlySet<string>): string | null {
  for (const option of value.split(',')) {
    const [key = '', ...rest] = option.split('=');
    const given = rest.join('=');
    if (key === 'type' && !MOUNTS.includes(given)) {
      return `there is no mount of type "${given}" here, but for ${MOUNTS.join(', ')}`;
    }
    if (key === 'id' && given.split('/').includes('..')) return `"${given}" is no id of a mount`;
    const why = key === 'from' ? whyNoSource(given, stageNames) : null;
    if (why !== null) return why;
  }
  return null;
}

/** A stage, by its name or number, or an image. */
function whyNoSource(name: string, stageNames: ReadonlySet<string>): string | null {
  if (/^\d+$/.test(name) || stageNames.has(name.toLowerCase())) return null;
  return whyNotOurs(name);
}

export function whyNotOurs(name: string): string | null {
  const reference = parseImageReference(name);
  if (reference === null) return `"${name}" is not an image's name`;
  if (reference.registry === null) return null;
  return 'leave out the registry: images come from this platform’s own';
}
