/** Shorter ones would be found in ordinary words. */
const MIN_MASKED_LENGTH = 4;

/** Of a credential that the end of an excerpt cuts off, so many characters are enough to mask them: nothing is lost there. */
const MIN_CUT_LENGTH = 2;

const MASK = '****';

/**
 * What a receiver said, without the credential.
 * @param isCut whether the text ends where we stopped reading: then a beginning of the credential at its end is masked too
 */
export type CredentialMask = (text: string, isCut?: boolean) => string;

/**
 * A receiver that echoes its requests would put the credential that it was sent into our records, and show it to everybody
 * who may read them. Found are the credential itself and what JSON, HTML, JavaScript, URLs and forms make of it, in any
 * mixture; what else a receiver may turn it into (base64 of it, capitals) has no end.
 * @param authorization the request's header; undefined when it had none
 */
export function credentialMask(authorization: string | undefined): CredentialMask {
  const found = authorization === undefined ? [] : credentialsOf(authorization);
  // The longest first, so that no rest of it is left behind.
  const credentials = found.filter(({ length }) => length >= MIN_MASKED_LENGTH).sort((a, b) => b.length - a.length);
  const searched = credentials.map((credential) => ({ credential, plainPart: longestPlainPart(credential) }));
  return (text, isCut = false) =>
    searched.reduce((rest, { credential, plainPart }) => {
      let masked = rest.replaceAll(credential, MASK);
      // Nearly all texts have no escaped form, which this tells without looking for one.
      if (plainPart.length < credential.length && masked.includes(plainPart)) masked = withoutForms(masked, credential);
      return isCut ? withoutBeginning(masked, credential) : masked;
    }, text);
}

/** What nobody ever escapes. */
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

/** A form that was cut itself. */
const CUT_FORM = /^(?:[%&\\][\w#;&\\]{0,11}|\uFFFD)?$/;

/** No form of one character is longer. */
const LONGEST_FORM = 12;

function withoutBeginning(text: string, credential: string): string {
  const forms = new EscapedForms(credential);
  const from = Math.max(0, text.length - LONGEST_FORM * forms.length);
  for (let at = forms.start(text, from); at >= 0; at = forms.start(text, at + 1)) {
    if (forms.exhausted) return MASK;
    const { characters, last, end } = forms.follow(text, at);
    if (characters < MIN_CUT_LENGTH || characters === forms.length) continue;
    // The last one may be a `&` that was the begin of `&amp;`.
    if (CUT_FORM.test(text.slice(end)) || CUT_FORM.test(text.slice(last))) return text.slice(0, at) + MASK;
  }
  return text;
}

const NAMED: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };

/** Some 10 ms. Only a text that was made to be much work takes as many, and is not worth keeping. */
const MOST_STEPS = 200_000;

/** Follows a credential through a text character by character, however each is escaped. */
class EscapedForms {
  readonly #characters: readonly string[];
  /** Of each character that may be escaped. */
  readonly #patterns = new Map<string, RegExp>();
  /** What the first character begins with, however it is escaped. */
  readonly #first: RegExp;
  #steps = 0;

  constructor(credential: string) {
    this.#characters = [...credential];
    this.#first = beginOf(credential);
    for (const character of this.#characters) {
      if (/[^A-Za-z0-9]/.test(character)) this.#patterns.set(character, patternOf(character));
    }
  }

  get length(): number {
    return this.#characters.length;
  }

  /** Whether the text may not be searched any further. */
  get exhausted(): boolean {
    return this.#steps > MOST_STEPS;
  }

  /**
   * Most places of most texts are none, and this goes over them many times faster than `follow` does.
   * @returns the next place from this one on where the credential may begin; -1 when there is none
   */
  start(text: string, from: number): number {
    this.#first.lastIndex = from;
    return this.#first.exec(text)?.index ?? -1;
  }

  /** @returns how many characters of the credential are there from this place on, where the last begins and ends */
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

/** `&#38;`, `&amp;`, `%26`, `\u0026`, `\x26`, `\&`, `&`; of `&`, `%` and what has a `\` before it also as escaped twice. */
function patternOf(character: string): RegExp {
  const code = character.codePointAt(0) ?? 0;
  const hex = code
    .toString(16)
    .padStart(2, '0')
    .replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const name = NAMED[character];
  const entity = `&(?:amp;)?(?:#[xX]0*${hex}|#0*${code}${name ? `|${name}` : ''});`;
  const literal = character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  const plain = character === '\\' ? '\\\\{2}|\\\\' : character === ' ' ? '\\+| ' : literal;
  const before = character === '\\' ? '' : '\\\\{0,3}';
  return new RegExp(`\\\\{1,2}(?:u00|x)${hex}|${before}(?:${entity}|%(?:25)?${hex}|${plain})`, 'y');
}

/** What `patternOf` of the first character can begin with: more would do no harm, less would miss a form. */
function beginOf(credential: string): RegExp {
  const first = credential.charAt(0);
  if (/[A-Za-z0-9]/.test(first)) return new RegExp(first, 'g');
  return new RegExp(`[\\\\&%${first === ' ' ? '+' : ''}${first.replace(/[\\\]^-]/, '\\$&')}]`, 'g');
}
