// @ts-check
import { randomBytes } from 'node:crypto';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** An id of the platform's form that this side chooses, so that a job can be sent again after a host died over it. */
export function newJobId() {
  return `job_0${[...randomBytes(25)].map((byte) => CROCKFORD[byte % 32]).join('')}`;
}

/** @param {number} count */
export function resultRows(count) {
  return Array.from({ length: count }, (_, i) => ({
    partnerRowId: `row_${String(i).padStart(26, '0')}`,
    referenceHotelId: `ref_${String(i * 7).padStart(26, '0')}`,
    matchMethod: 'STANDARD',
    matchConfidence: null,
  }));
}

/** The platform's API as a customer and the mapping engine call it, at whichever host is alive. */
export class Platform {
  /** @param {{ workspaceId: string, agentId: string, token: string }} seeded */
  constructor({ workspaceId, agentId, token }) {
    this.workspaceId = workspaceId;
    this.agentId = agentId;
    this.token = token;
  }

  /**
   * @param {string} url
   * @param {{ sinkUrls: readonly string[], secret: string, retries: number }} wishes
   */
  async furnish(url, { sinkUrls, secret, retries }) {
    for (const sinkUrl of sinkUrls) {
      await this.ask(url, 'POST', '/data-sources', {
        role: 'RESULTS_SINK',
        type: 'HTTPS_WEBHOOK',
        name: sinkUrl,
        config: { url: sinkUrl, authScheme: 'HmacSha256' },
        secret: { value: secret },
        format: 'JSON',
      });
    }
    await this.ask(url, 'POST', '/rule-sets', {
      data_sinks: { auto_push_on_job_complete: true, retry_failed_push: retries },
    });
    await this.ask(url, 'POST', '/activate');
  }

  /**
   * @param {string} url
   * @param {string} jobId
   * @param {number} rows
   */
  async finishJob(url, jobId, rows) {
    await this.ask(url, 'POST', '/mapping-jobs', { jobId, results: resultRows(rows) });
  }

  /**
   * @param {string} url
   * @param {string} method
   * @param {string} path below the agent's
   * @param {object} [body]
   */
  async ask(url, method, path, body) {
    const response = await fetch(`${url}/api/v1/agents/${this.agentId}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: body ? JSON.stringify(body) : null,
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  }
}
