import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { nowMs } from './measure.mjs';

/** Posts jobs to a design's front, and keeps when each was sent. */
export class Load {
  #pool;
  sentAt = {};

  constructor(port) {
    this.#pool = new Pool(`http://127.0.0.1:${port}`, { connections: 64 });
  }

  async post(jobId, agentId, rows) {
    this.sentAt[jobId] = nowMs();
    const { statusCode, body } = await this.#pool.request({
      path: '/jobs',
      method: 'POST',
      body: JSON.stringify({ jobId, agentId, rows }),
    });
    const said = await body.text();
    if (statusCode !== 202) throw new Error(`the front answered ${statusCode}: ${said}`);
  }

  /** As fast as they are taken, so many at a time. */
  async saturate({ agentIds, jobs, rows, tag, atOnce = 64 }) {
    let next = 0;
    const postNext = async () => {
      while (next < jobs) {
        const n = next++;
        await this.post(jobName(rows, tag, n), agentIds[n % agentIds.length], rows);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, postNext));
  }

  /** At a steady rate, whether those before were taken or not. */
  async pace({ agentIds, jobs, rows, tag, perSecond }) {
    const posts = [];
    let failure = null;
    const startedAt = nowMs();
    for (let n = 0; n < jobs; n++) {
      const wait = startedAt + (n * 1000) / perSecond - nowMs();
      if (wait > 1) await delay(wait);
      if (failure) break;
      const post = this.post(jobName(rows, tag, n), agentIds[n % agentIds.length], rows);
      posts.push(post.catch((error) => (failure ??= error)));
    }
    await Promise.all(posts);
    if (failure) throw failure;
  }

  async end() {
    await this.#pool.close();
  }
}

function jobName(rows, tag, n) {
  return `job_${rows}_${tag}${String(n).padStart(8, '0')}`;
}
