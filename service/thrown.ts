/** The system's code of an I/O error ("ENOENT"), or undefined when the error is of another kind. */
export function errnoCode(error: unknown): string | undefined {
  return textOf(error, 'code');
}

/** Why a file or folder could not be read: "does not exist", else the system's code. */
export function unreadable(error: unknown): string {
  const code = errnoCode(error);
  return code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'error'})`;
}

/** What went wrong, in one line: the message of an error, or whatever was thrown as text. */
export function messageOf(error: unknown): string {
  return (textOf(error, 'message') ?? String(error)).split('\n')[0] ?? '';
}

function textOf(value: unknown, field: 'code' | 'message'): string | undefined {
  if (typeof value !== 'object' || value === null || !(field in value)) return undefined;
  const text: unknown = Reflect.get(value, field);
  return typeof text === 'string' ? text : undefined;
}
