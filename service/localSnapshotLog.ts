import type { Logger } from './logger.js';

const MESSAGES = {
  loaded: { level: 'info', text: 'going on from the local snapshot' },
  dropped: { level: 'warn', text: 'the local snapshot is not used; reading the history' },
  written: { level: 'debug', text: 'wrote the local snapshot' },
  unwritten: { level: 'error', text: 'cannot write the local snapshot; trying again later' },
} as const;

/** Logs what became of the local snapshot, with all that is told of it. */
export function logLocalSnapshot(logger: Logger, news: { readonly kind: keyof typeof MESSAGES }): void {
  const { kind, ...fields } = news;
  const { level, text } = MESSAGES[kind];
  logger[level]({ event: `snapshot_${kind}`, ...fields }, text);
}
