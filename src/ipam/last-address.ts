// Remembers the last address given, so that a freed one is not given again at once.

import { constants } from 'node:fs';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { ADDRESS_REGION } from './lease.ts';
import type { Store } from './store.ts';

const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The last address given, if it is known. It only says where to begin, so that nothing which goes wrong with it matters. */
export interface LastAddress {
	readonly address: Address | undefined;
	/** Puts another in its place. */
	replace(address: Address): void;
	close(): void;
}

/** Opens the note of the last address number `index` in a network, `last.<index>`. */
export function openLastAddress({ directory, system }: Store, index: number): LastAddress {
	let descriptor = -1;
	let address: Address | undefined;
	try {
		descriptor = system.openSync(`${directory}/last.${index}`, FLAGS, 0o600);
		const bytes = Buffer.alloc(ADDRESS_REGION);
		address = parseAddress(
			bytes.toString('latin1', 0, system.readSync(descriptor, bytes, 0, bytes.length, 0)).trim(),
		);
	} catch {
		// Begin at the start.
	}
	return {
		address,
		replace(next) {
			try {
				const bytes = Buffer.from(formatAddress(next).padEnd(ADDRESS_REGION), 'latin1');
				system.writeSync(descriptor, bytes, 0, bytes.length, 0);
			} catch {
				// Begin at the start the next time.
			}
		},
		close() {
			if (descriptor !== -1) system.closeSync(descriptor);
		},
	};
}
