import { formatInstant } from '../instant.js';
import type { LayoutOf } from './layout.js';
import { rowOf } from './result-row.js';

/** The payload of the contract, section 5: one object with the rows in its list `results`. */
export const jsonLayout: LayoutOf = (fields) => {
  const toRow = rowOf(fields);
  return {
    separator: ',',
    head({ jobId, agentId, workspaceId, completedAt, stats: { total, matched, unmatched } }) {
      // JSON.stringify keeps the order of a literal's keys; the contract fixes that order.
      const facts = {
        jobId,
        agentId,
        workspaceId,
        completedAt: formatInstant(completedAt),
        stats: { total, matched, unmatched },
      };
      return `${JSON.stringify(facts).slice(0, -1)},"results":[`;
    },
    rows(rows, job) {
      return JSON.stringify(rows.map((row) => toRow(row, job))).slice(1, -1);
    },
    tail(test) {
      return test ? '],"test":true}' : ']}';
    },
  };
};
