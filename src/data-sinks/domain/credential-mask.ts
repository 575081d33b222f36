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
    const { characters, end } = forms.follow(text, at);
    if (characters < forms.length) at += 1;
    else {
      kept += text.slice(from, at) + MASK;
      at = from = end;
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
    const { characters, last, end } = forms.follow(text, at);
    if (characters < MIN_CUT_LENGTH || characters === forms.length) continue;
    // The last character may be a `&` that began a truncated `&amp;`.
    if (CUT_FORM.test(text.slice(end)) || CUT_FORM.test(text.slice(last))) return text.slice(0, at) + MASK;
  }
  return text;
}

const NAMED: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };

/** Search budget, about 10 ms. Only a text built to be slow exceeds it; such a text is masked as a whole. */
const MOST_STEPS = 200_000;

/** Matches a credential in a text character by character, whatever the escaping of each character. */
class EscapedForms {
  /** Characters of the credential; backslashes that follow each other are one. */
  readonly #characters: readonly string[];
  /** One pattern for each character that may be escaped. */
  readonly #patterns = new Map<string, RegExp>();
  /** Matches any possible start of the first character. */
  readonly #first: RegExp;
  #steps = 0;

  constructor(credential: string) {
    this.#characters = credential.match(/\\+|[^\\]/gsu) ?? [];
    this.#first = beginOf(credential);
    for (const character of this.#characters) {
      if (/[^A-Za-z0-9]/.test(character)) this.#patterns.set(character, patternOf(character));
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

  /** @returns how many characters of the credential match from here, and where the last one begins and ends */
  follow(text: string, from: number): { readonly characters: number; readonly last: number; readonly end: number } {
    let [characters, last, end] = [0, from, from];
    for (const character of this.#characters) {
      const after = this.#after(character, text, end);
      if (after < 0) break;
      [characters, last, end] = [characters + 1, end, after];
    }
    this.#steps += characters + 1;
    return { characters, last, end };
  }

  #after(character: string, text: string, at: number): number {
    const pattern = this.#patterns.get(character);
    if (!pattern) return text[at] === character ? at + 1 : -1;
    pattern.lastIndex = at;
    return pattern.test(text) ? pattern.lastIndex : -1;
  }
}

/**
 * Matches `&#38;`, `&amp;`, `%26`, `\u0026`, `\x26`, `\&`, `&`. Forms that start with `&`, `%` or `\` are also matched
 * when escaped twice.
 */
function patternOf(character: string): RegExp {
  if (character.startsWith('\\')) return backslashes(character.length);
  const code = character.codePointAt(0) ?? 0;
  const hex = code
    .toString(16)
    .padStart(2, '0')
    .replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const name = NAMED[character];
  const entity = `&(?:amp;)?(?:#[xX]0*${hex}|#0*${code}${name ? `|${name}` : ''});`;
  const literal = character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  const plain = character === ' ' ? '\\+| ' : literal;
  return new RegExp(`\\\\{1,2}(?:u00|x)${hex}|\\\\{0,3}(?:${entity}|%(?:25)?${hex}|${plain})`, 'y');
}

/**
 * So many in a row, as they are or each written twice. Judged together: by itself, the first would take the second along
 * as the other half of its escape.
 */
function backslashes(count: number): RegExp {
  const forms = ['\\\\{1,2}(?:u00|x)5[cC]', '&(?:amp;)?(?:#[xX]0*5[cC]|#0*92);', '%(?:25)?5[cC]'];
  return new RegExp(`${forms.map((form) => `(?:${form}){${count}}`).join('|')}|\\\\{${count},${2 * count}}`, 'y');
}

/** Matches every first character of `patternOf`. Too many matches only cost time; too few would miss a form. */
function beginOf(credential: string): RegExp {
  const first = credential.charAt(0);
  if (/[A-Za-z0-9]/.test(first)) return new RegExp(first, 'g');
  return new RegExp(`[\\\\&%${first === ' ' ? '+' : ''}${first.replace(/[\\\]^-]/, '\\$&')}]`, 'g');
}
