// What an operator may want to know besides the result; stdout belongs to the protocol.

import { writeNext } from './files.ts';

/** Writes one line to stderr. A stderr that cannot be written is no reason to fail. */
export function note(message: string): void {
	try {
		writeNext(2, Buffer.from(`mesos-overlay: ${message}\n`));
	} catch {
		// Nobody listens.
	}
}
