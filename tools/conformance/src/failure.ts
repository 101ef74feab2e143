/** The server broke a promise. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/** The server does not offer what the check is about, and may do so. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}
