import type { PayloadFormat } from '../data-sink.js';
import type { MappingResultRow } from '../job-completed.js';
import type { LayoutOf, PayloadFacts, PayloadLayout } from './layout.js';
import { csvLayout } from './csv-layout.js';
import { jsonLayout } from './json-layout.js';
import { jsonLinesLayout } from './json-lines-layout.js';
import type { PayloadRecipe } from './payload-recipe.js';

const LAYOUTS: Readonly<Record<PayloadFormat, LayoutOf>> = {
  JSON: jsonLayout,
  JSONL: jsonLinesLayout,
  CSV: csvLayout,
};

const WITH_ALL_FIELDS: Readonly<Record<PayloadFormat, PayloadLayout>> = {
  JSON: jsonLayout(null),
  JSONL: jsonLinesLayout(null),
  CSV: csvLayout(null),
};

export function payloadLayout({ format, fields }: Pick<PayloadRecipe, 'format' | 'fields'>): PayloadLayout {
  return fields ? LAYOUTS[format](fields) : WITH_ALL_FIELDS[format];
}

/** Builds a whole body from a few rows, such as a Test's. */
export function bodyText(
  layout: PayloadLayout,
  facts: PayloadFacts,
  rows: readonly MappingResultRow[],
  test: boolean,
): string {
  return `${layout.head(facts)}${rows.length === 0 ? '' : layout.rows(rows)}${layout.tail(test)}`;
}
