/** Shorter credentials would match parts of ordinary words. */
const MIN_MASKED_LENGTH = 4;

/** Minimum number of characters to mask when the excerpt ends inside a credential. */
const MIN_CUT_LENGTH = 2;

const MASK = '****';

/**
 * Masks the credential in a response.
 * @param isCut whether the text was truncated: then a prefix of the credential at its end is masked too
 */
export type CredentialMask = (text: string, isCut?: boolean) => string;

/**
 * A receiver that echoes requests would put the credential into our records, where everyone who may read them would see
 * it. This finds the credential as it is and as escaped by JSON, HTML, JavaScript, URLs and forms, in any mixture.
 * Other transformations (base64, upper case) are not detected.
 * @param authorization the request's header; undefined when it had none
 */
export function credentialMask(authorization: string | undefined): CredentialMask {
  return maskOf(authorization === undefined ? [] : credentialsOf(authorization));
}

/** The same for credentials that no header carries. */
export function maskOf(found: readonly string[]): CredentialMask {
  // Longest first, so that no part of a longer form is left over.
  const credentials = found.filter(({ length }) => length >= MIN_MASKED_LENGTH).sort((a, b) => b.length - a.length);
  const searched = credentials.map((credential) => ({ credential, plainPart: longestPlainPart(credential) }));
  return (text, isCut = false) =>
    searched.reduce((rest, { credential, plainPart }) => {
      let masked = rest.replaceAll(credential, MASK);
      // Nearly all texts contain no escaped form; this check is cheaper than a search.
      if (plainPart.length < credential.length && masked.includes(plainPart)) masked = withoutForms(masked, credential);
      return isCut ? withoutBeginning(masked, credential) : masked;
    }, text);
}

/** Characters that no encoding escapes. */
function longestPlainPart(credential: string): string {
  return credential.split(/[^A-Za-z0-9]+/).reduce((a, b) => (b.length > a.length ? b : a));
}

function credentialsOf(authorization: string): string[] {
  const [, scheme, value = ''] = /^(\S+) (.*)$/s.exec(authorization) ?? [];
  if (scheme !== 'Basic') return [value];
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return [value, pair, pair.slice(pair.indexOf(':') + 1)];
}

function withoutForms(text: string, credential: string): string {
  const forms = new EscapedForms(credential);
  let kept = '';
  let from = 0;
  for (let at = forms.start(text, 0); at >= 0; at = forms.start(text, at)) {
    if (forms.exhausted) return MASK;
    const { characters, ends } = forms.follow(text, at);
    if (characters < forms.length) at += 1;
    else {
      kept += text.slice(from, at) + MASK;
      at = from = Math.max(...ends);
    }
  }
  return kept + text.slice(from);
}

/** An escape sequence that was truncated. */
const CUT_FORM = /^(?:[%&\\][\w#;&\\]{0,11}|\uFFFD)?$/;

/** Length of the longest escape sequence of one character. */
const LONGEST_FORM = 12;

function withoutBeginning(text: string, credential: string): string {
  const forms = new EscapedForms(credential);
  const from = Math.max(0, text.length - LONGEST_FORM * credential.length);
  for (let at = forms.start(text, from); at >= 0; at = forms.start(text, at + 1)) {
    if (forms.exhausted) return MASK;
    const { characters, lasts, ends } = forms.follow(text, at);
    if (characters < MIN_CUT_LENGTH || characters === forms.length) continue;
    // The last character may be a `&` that began a truncated `&amp;`.
    if ([...ends, ...lasts].some((end) => CUT_FORM.test(text.slice(end)))) return text.slice(0, at) + MASK;
  }
  return text;
}

const NAMED: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };

/** Search budget, about 10 ms. Only a text built to be slow exceeds it; such a text is masked as a whole. */
const MOST_STEPS = 200_000;

/** How far a credential was found from some place in a text. */
interface Followed {
  readonly characters: number;
  /** Where the last of these characters may begin, and where it may end. */
  readonly lasts: readonly number[];
  readonly ends: readonly number[];
}

/**
 * Matches a credential in a text character by character, whatever the escaping of each character. What follows decides
 * how far a character goes: `%2525` is an escaped `%`, or `%` escaped twice, or an escaped `%25`. All are followed.
 */
class EscapedForms {
  readonly #characters: readonly string[];
  /** The forms of each character that may be escaped. */
  readonly #patterns = new Map<string, readonly RegExp[]>();
  /** Matches any possible start of the first character. */
  readonly #first: RegExp;
  #steps = 0;

  constructor(credential: string) {
    this.#characters = [...credential];
    this.#first = beginOf(credential);
    for (const character of this.#characters) {
      if (/[^A-Za-z0-9]/.test(character)) this.#patterns.set(character, patternsOf(character));
    }
  }

  get length(): number {
    return this.#characters.length;
  }

  /** Whether the search budget is used up. */
  get exhausted(): boolean {
    return this.#steps > MOST_STEPS;
  }

  /**
   * Skips positions that cannot match, much faster than `follow`.
   * @returns the next position at which the credential may begin; -1 when there is none
   */
  start(text: string, from: number): number {
    this.#first.lastIndex = from;
    return this.#first.exec(text)?.index ?? -1;
  }

  follow(text: string, from: number): Followed {
    let followed: Followed = { characters: 0, lasts: [from], ends: [from] };
    for (const character of this.#characters) {
      const { characters, ends } = followed;
      this.#steps += ends.length;
      if (this.exhausted) break;
      const after = new Set(ends.flatMap((at) => this.#after(character, text, at)));
      if (after.size === 0) break;
      followed = { characters: characters + 1, lasts: ends, ends: [...after] };
    }
    return followed;
  }

  #after(character: string, text: string, at: number): readonly number[] {
    const patterns = this.#patterns.get(character);
    if (!patterns) return text[at] === character ? [at + 1] : [];
    return patterns.flatMap((pattern) => {
      pattern.lastIndex = at;
      return pattern.test(text) ? [pattern.lastIndex] : [];
    });
  }
}

/**
 * Match `&#38;`, `&amp;`, `%26`, `\u0026`, `\x26`, `\&`, `&`. Forms that start with `&`, `%` or `\` are also matched when
 * escaped twice. Each pattern matches in one way only.
 */
function patternsOf(character: string): readonly RegExp[] {
  const code = character.codePointAt(0) ?? 0;
  const hex = code
    .toString(16)
    .padStart(2, '0')
    .replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const name = NAMED[character];
  const entity = `(?:#[xX]0*${hex}|#0*${code}${name ? `|${name}` : ''});`;
  const literal = character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  const plain = character === '\\' ? ['\\\\', '\\\\{2}'] : character === ' ' ? ['\\+| '] : [literal];
  const before = character === '\\' ? '' : '\\\\{0,3}';
  const forms = [`&${entity}`, `&amp;${entity}`, `%${hex}`, `%25${hex}`, ...plain];
  const escaped = forms.map((form) => `${before}(?:${form})`);
  return [`\\\\{1,2}(?:u00|x)${hex}`, ...escaped].map((pattern) => new RegExp(pattern, 'y'));
}

/** Matches every first character of `patternsOf`. Too many matches only cost time; too few would miss a form. */
function beginOf(credential: string): RegExp {
  const first = credential.charAt(0);
  if (/[A-Za-z0-9]/.test(first)) return new RegExp(first, 'g');
  return new RegExp(`[\\\\&%${first === ' ' ? '+' : ''}${first.replace(/[\\\]^-]/, '\\$&')}]`, 'g');
}
