import type { MappingResultRow } from '../../../../../src/data-sinks/domain/job-completed.js';
import type { PayloadFacts, PayloadLayout } from '../../../../../src/data-sinks/domain/body/layout.js';
import { bodyText, payloadLayout, type TextRecipe } from '../../../../../src/data-sinks/domain/body/payload-layout.js';
import { parseRecipe } from '../../../../../src/data-sinks/domain/body/payload-recipe.js';

export const FACTS: PayloadFacts = {
  jobId: 'job_01J5Z0000000000000000000AB',
  agentId: 'agt_01J5Z0000000000000000000AB',
  workspaceId: 'ws_01J5Z0000000000000000000AB',
  completedAt: new Date('2026-05-25T12:34:56Z'),
  stats: { total: 3, matched: 2, unmatched: 1 },
};

export const ROWS: readonly MappingResultRow[] = [
  { partnerRowId: 'row_1', referenceHotelId: 'ref_1', matchMethod: 'STANDARD', matchConfidence: 0.875 },
  { partnerRowId: 'Hôtel "Süd", 東京\n🏨', referenceHotelId: 'ref,2', matchMethod: '', matchConfidence: 1e-7 },
  { partnerRowId: 'row_3', referenceHotelId: null, matchMethod: null, matchConfidence: null },
];

/** The layout of a text, by the name of its recipe. */
export function layoutOf(recipe: string): PayloadLayout {
  return payloadLayout(parseRecipe(recipe) as TextRecipe);
}

/** The whole body of some rows, by the name of its recipe. */
export function bodyOf(recipe: string, rows: readonly MappingResultRow[], test = false): string {
  return bodyText(layoutOf(recipe), FACTS, rows, test);
}
