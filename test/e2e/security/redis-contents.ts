import { Redis } from 'ioredis';

/** Everything that is in a Redis, as text, by its keys. */
export async function allOfRedis(url: string): Promise<ReadonlyMap<string, string>> {
  const redis = new Redis(url);
  try {
    const found = new Map<string, string>();
    for (const key of await redis.keys('*')) found.set(key, await contents(redis, key));
    return found;
  } finally {
    redis.disconnect();
  }
}

async function contents(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key);
  if (type === 'string') return (await redis.get(key)) ?? '';
  if (type === 'list') return JSON.stringify(await redis.lrange(key, 0, -1));
  if (type === 'hash') return JSON.stringify(await redis.hgetall(key));
  if (type === 'set') return JSON.stringify(await redis.smembers(key));
  if (type === 'zset') return JSON.stringify(await redis.zrange(key, 0, -1));
  if (type === 'stream') return JSON.stringify(await redis.xrange(key, '-', '+'));
  throw new Error(`${key} is a ${type}, which this test does not know`);
}
