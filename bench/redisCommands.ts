import { Redis } from 'ioredis';

/** Counts the commands that a Redis server has carried out. */
export class RedisCommands {
  readonly #redis: Redis;

  constructor(url: string) {
    this.#redis = new Redis(url);
  }

  /** Commands since the server started, those that only ask for this count left out. */
  async total(): Promise<number> {
    return totalCalls(await this.#redis.info('commandstats'));
  }

  stop(): void {
    this.#redis.disconnect();
  }
}

/** Sum of the calls in an answer to INFO commandstats, without INFO itself. */
export function totalCalls(commandstats: string): number {
  let total = 0;
  for (const [, command, calls] of commandstats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    if (command !== 'info') total += Number(calls);
  }
  return total;
}
