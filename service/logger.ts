import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Levels a config file may name. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Field names whose value never reaches a log line, at the top level or one object deep. */
const SECRET_FIELDS = [
  'password',
  'privateKey',
  'secret',
  'mnemonic',
  'authorization',
  'keystorePassword',
  'signature',
];

const URL_FIELDS = ['rpcUrl', 'redisUrl', 'aggregator', 'url'];

/**
 * Hides what may be a credential in a URL: user, password, query, and any path segment of 16 characters or more
 * (hosted RPC endpoints carry their key there). A text that is no URL is returned as it is.
 */
export function maskUrl(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.username !== '') url.username = '***';
  if (url.password !== '') url.password = '***';
  if (url.search !== '') url.search = '?***';
  url.pathname = url.pathname
    .split('/')
    .map((segment) => (segment.length >= 16 ? '***' : segment))
    .join('/');
  return url.toString();
}

/**
 * A JSON logger on standard output (or `destination`): one object a line with `service`, `time` in ISO form and a stable
 * `event` name given by the caller. Secret fields are replaced by "[redacted]", URLs lose their credentials.
 */
export function createLogger(options: { service: string; level: LogLevel }, destination?: DestinationStream): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
      serializers: Object.fromEntries(
        URL_FIELDS.map((field) => [field, (value: unknown) => (typeof value === 'string' ? maskUrl(value) : value)]),
      ),
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
}
