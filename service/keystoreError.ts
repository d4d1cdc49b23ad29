import { MatchmakerError } from '../engine/error.js';

export type KeystoreErrorCode =
  | 'KEYSTORE_MISSING'
  | 'KEYSTORE_INVALID'
  | 'KEYSTORE_EXISTS'
  | 'PASSWORD_MISSING'
  | 'PASSWORD_WRONG'
  | 'PRIVATE_KEY_INVALID';

/** A key that cannot be used; the message is one line, names the file and never holds a secret. */
export class KeystoreError extends MatchmakerError<KeystoreErrorCode> {}
