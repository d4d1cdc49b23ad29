/** The base of every typed error; it lives in the innermost folder because the engine throws typed errors too. */
export { MatchmakerError } from '../engine/error.js';
