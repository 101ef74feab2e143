/** The version of the protocol and of everything here: documents and packages tell it alike. */
export const version = '0.1.0';
