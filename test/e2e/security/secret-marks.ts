/** Every form in which a secret could show up without being meant to. */
export function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), bytes.toString('hex')];
  const key = /^whsec_(.+)$/.exec(secret)?.[1];
  if (key !== undefined) forms.push(key, Buffer.from(key, 'base64').toString('hex'));
  return [...forms, ...base64Forms(bytes)].map((form) => form.toLowerCase());
}

/** Base64 looks different with each of the three places where the secret may begin in what was encoded. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '');
    // The first and last characters depend on what stands beside it.
    const inner = whole.slice(shift === 0 ? 0 : shift + 1, -2);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** @returns the names of the secrets that the text shows, in whichever form */
export function secretsIn(text: string, secrets: ReadonlyMap<string, string>): string[] {
  const lower = text.toLowerCase();
  return [...secrets]
    .filter(([, secret]) => formsOf(secret).some((form) => lower.includes(form)))
    .map(([name]) => name);
}

/** What a store that is being debugged tells of a request; the key begins where a Test's step cuts the message off. */
export function toldByStore(accessKeyId: string, secretAccessKey: string): string {
  return `<Error><Code>SignatureDoesNotMatch</Code><Message>${'.'.repeat(280)} ${secretAccessKey} of ${accessKeyId}</Message>
    <AWSAccessKeyId>${accessKeyId}</AWSAccessKeyId><StringToSign>${secretAccessKey}</StringToSign></Error>`;
}

export function inXml(text: string): string {
  return text.replace(/[&<>"]/g, (it) => `&#${it.charCodeAt(0)};`);
}

/** As a writer does that escapes slashes and angle brackets too. */
export function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/').replaceAll('<', '\\u003c');
}
