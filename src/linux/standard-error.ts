// What an operator may want to know besides the result; stdout belongs to the protocol.

import { writeSync } from 'node:fs';

/** Writes one line to stderr. A stderr that cannot be written is no reason to fail. */
export function note(message: string): void {
	try {
		writeSync(2, `mesos-overlay: ${message}\n`);
	} catch {
		// Nobody listens.
	}
}
