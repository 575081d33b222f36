import type { PageSettings } from '../../console.options.js';

/** Without a server that fills them in: of the reference host. */
const ALONE: PageSettings = {
  ...{ api: 'api/v1', session: false, signInUrl: null, sampleJobs: false },
  types: ['HTTPS_WEBHOOK', 'S3'],
};

/** Settings that the server embedded in the page. */
export function readSettings(document: Document): PageSettings {
  const content = document.querySelector<HTMLMetaElement>('meta[name="data-sinks-console"]')?.content ?? '';
  // `npm run dev:console` does not fill them in.
  if (!content.startsWith('{')) return ALONE;
  return JSON.parse(content) as PageSettings;
}
